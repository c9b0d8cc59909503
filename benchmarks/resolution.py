"""Resolution compared with links: nodes whose ids were hidden, and what they are joined with.

    python -m benchmarks.resolution graph-of-a-dump [--pubtator DEVELOPMENT] [--weights FILE] [--sample FILE]

The graph is one that `factmill build` made of a Wikipedia dump. The pages are divided in two by a hash of their ids;
`factmill fit resolution` fits a model to the first half, and the figures are of the other. Hidden are the ids of every
tenth target in all pages, and of a tenth of the other linked entities. The resulting nodes are compared with link
targets, over all pairs of entities of which at least one was hidden (pairwise), and for each hidden entity (B-cubed),
before resolution and after. `--weights` measures a file of `factmill fit resolution` in place of the shipped weights.
"""

from __future__ import annotations

import json
import math
import random
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.machine import processor
from pipeline.merging.findings import named_entities
from pipeline.resolution.clustering import Match, matches, star_clusters
from pipeline.resolution.fit import (
    Corpus,
    LabelledPair,
    annotated_corpus,
    compared_nodes,
    corpus_of_graph,
    first_half,
    hide,
    labelled_pairs,
    profiles_of,
)
from pipeline.resolution.matching import FEATURES, MatchModel, features, match_model
from pipeline.resolution.node_profiles import NodeProfile

RESULTS = Path(__file__).parent / "results" / "resolution.json"


def scores(clusters: list[str], targets: list[str], hidden: list[bool]) -> dict[str, float]:
    """Return pairwise and B-cubed precision, recall and F1 of hidden entities among all that have a target."""
    by_cluster, by_target, by_both = Counter(clusters), Counter(targets), Counter(zip(clusters, targets, strict=True))
    open_ = [Counter(key for key, gone in zip(names, hidden, strict=True) if not gone) for names in (clusters, targets)]
    both = Counter(
        key for *key, gone in zip(clusters, targets, hidden, strict=True) if not gone for key in [tuple(key)]
    )

    def count(all_: Counter[Any], apart: Counter[Any]) -> int:
        return sum(math.comb(number, 2) - math.comb(apart[key], 2) for key, number in all_.items())

    together, same, right = count(by_cluster, open_[0]), count(by_target, open_[1]), count(by_both, both)
    rows = [(c, t) for c, t, gone in zip(clusters, targets, hidden, strict=True) if gone]
    precision = sum(by_both[row] / by_cluster[row[0]] for row in rows) / len(rows)
    recall = sum(by_both[row] / by_target[row[1]] for row in rows) / len(rows)
    return {
        **_rates("pairwise", right / together if together else 1.0, right / same if same else 1.0),
        **_rates("b_cubed", precision, recall),
    }


def _rates(name: str, precision: float, recall: float) -> dict[str, float]:
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {f"{name}_{what}": round(x, 4) for what, x in (("precision", precision), ("recall", recall), ("f1", f1))}


def resolved(profiles: Mapping[str, NodeProfile], model: MatchModel) -> tuple[dict[str, Match], int]:
    """Return how nodes are joined, and how many blocks were cut."""
    compared, cut = compared_nodes(profiles)
    wanted = {
        node: matches(profiles[node], [profiles[id] for id in others], model) for node, others in compared.items()
    }
    return star_clusters(wanted)[0], cut


def held_out(corpus: Corpus, model: MatchModel) -> dict[str, Any]:
    """Return what becomes of entities whose ids were hidden, before resolution and after."""
    hidden, gold = hide(corpus, 0.1, 0.1)
    began = time.monotonic()
    profiles = profiles_of(hidden)
    joined, cut = resolved(profiles, model)
    seconds = time.monotonic() - began
    before, after, targets, gone = list[str](), list[str](), list[str](), list[bool]()
    for (document, extraction), targets_of in zip(hidden, gold, strict=True):
        for named, (target, was_hidden) in zip(named_entities(document, extraction), targets_of, strict=True):
            if target:
                before.append(named.node)
                after.append(joined[named.node].centre if named.node in joined else named.node)
                targets.append(target)
                gone.append(was_hidden)
    return {
        "documents": len(corpus),
        "entities_with_targets": len(targets),
        "hidden": sum(gone),
        "nodes_before": len(profiles),
        "nodes_after": len(profiles) - len(joined),
        "joined": dict(Counter(match.reason for match in joined.values())),
        "blocks_cut": cut,
        "seconds": round(seconds, 1),
        "before": scores(before, targets, gone),
        "after": scores(after, targets, gone),
    }


def pair_rates(rows: list[LabelledPair], model: MatchModel) -> dict[str, dict[str, float]]:
    """Return precision and recall over labelled pairs of nodes at several thresholds."""
    weights = np.array([model.weights[name] for name in FEATURES])
    values = np.array([features(one, other) for one, other, _ in rows])
    chance = 1 / (1 + np.exp(-(values @ weights + model.bias)))
    same = np.array([row[2] for row in rows])
    found = {}
    for cut in (0.5, 0.8, 0.9, 0.95, 0.98):
        kept = chance >= cut
        right = int((kept & same).sum())
        found[str(cut)] = {
            "precision": round(right / max(1, int(kept.sum())), 4),
            "recall": round(right / max(1, int(same.sum())), 4),
            "pairs": int(kept.sum()),
        }
    return found


def write_sample(corpus: Corpus, model: MatchModel, path: Path) -> None:
    """Write fifty joins of the whole corpus, drawn at random, to be read."""
    profiles = profiles_of(corpus)
    joined = resolved(profiles, model)[0]
    drawn = random.Random(0).sample(sorted(joined.values(), key=lambda match: match.member), min(50, len(joined)))
    lines = []
    for match in drawn:
        centre = profiles[match.centre]
        lines.append(
            f"{match.score:.4f} {match.reason}: {match.name} [{', '.join(match.documents[:3])}] -> {centre.name} "
            f"{centre.kb_id} [{', '.join(centre.documents[:3])}] {match.type}"
        )
    nodes = f"{len(profiles)} nodes, {len(joined)} joined: {dict(Counter(m.reason for m in joined.values()))}"
    path.write_text("\n".join([nodes, *lines]) + "\n", "utf-8")


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("graph", type=Path)
    parser.add_argument("--pubtator", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--sample", type=Path)
    given = parser.parse_args()
    model = match_model()
    if given.weights:
        model = msgspec.json.decode(given.weights.read_bytes(), type=MatchModel)
    corpus = corpus_of_graph(given.graph)
    parts = {"dump": first_half(corpus)[1]}
    if given.pubtator:
        parts["pubtator"] = annotated_corpus(given.pubtator)
    results: dict[str, Any] = {
        "machine": processor(),
        "threshold": model.threshold,
    }
    for name, second in parts.items():
        results[name] = {
            "pairs": pair_rates(list(labelled_pairs(*hide(second, 0.3, 0.3))), model),
            **held_out(second, model),
        }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    print(json.dumps(results, indent=2))
    if given.sample:
        write_sample(corpus, model, given.sample)


if __name__ == "__main__":
    main()
