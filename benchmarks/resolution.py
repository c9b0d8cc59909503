"""Resolution held against links: nodes whose ids were taken away, and what they are joined with.

    python -m benchmarks.resolution graph-of-a-dump [--pubtator TRAIN DEVELOPMENT] [--weights] [--sample FILE]

The graph is one that `factmill build` made of a Wikipedia dump; its `extractions/` hold what was found in each page.
Pages are parted in two by a hash of their ids. On the first half (with --pubtator, also on its first file) the logistic
model is fitted to all pairs of nodes that share a block and of which links tell whether they are one; --weights writes
it to the package. On the other half ids are hidden: of every tenth target in all pages, and of a tenth of the other
linked entities. What is then one node is compared with what has one link target, over all pairs of entities of
which at least one was hidden (pairwise), and for each hidden entity (B-cubed), before resolution and after.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from heapq import nsmallest
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy.optimize import minimize

from benchmarks.machine import processor
from pipeline.merging.findings import named_entities
from pipeline.merging.naming import entity_name, knowledge_base_ids
from pipeline.readers import read_path
from pipeline.resolution.blocking import LARGEST, blocking_record, keys, pairs
from pipeline.resolution.clustering import Match, matches, order, stars
from pipeline.resolution.matching import FEATURES, MatchModel, features, match_model
from pipeline.resolution.names import folded
from pipeline.resolution.node_profiles import NodeProfile, ProfileTally, profile_tallies
from pipeline.store.shard_updates import REDIRECT as REDIRECTED
from pipeline.store.shard_updates import ShardUpdate
from pipeline.store.store import REDIRECT, Store, read_shard
from pipeline.store.store_transforms import read_updated_shard
from schemas import DeadLetter, Document, Entity, Extraction, Redirect, decode

RESULTS = Path(__file__).parent / "results" / "resolution.json"
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "resolution" / "weights.json"
# Features that may only speak against a match; the others may only speak for it.
AGAINST = {"contained", "unlike words", "single word", "common noun", "brackets", "together"}
# A node stands for the target of this share of its entities, or for none.
PURE = 0.8
Corpus = list[tuple[Document, Extraction]]
# Of every entity: its link target, and whether that was hidden.
Gold = list[list[tuple[str, bool]]]


def share(*parts: object) -> float:
    """Return a number from 0 to 1 that follows from the parts alone."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def dump(graph: Path) -> Corpus:
    """Return what the extractions of a graph hold."""
    store = Store.open(graph)
    shards = range(store.info.shards)
    redirects = [row for number in shards for row in read_shard(store.path(number), (REDIRECT,))]
    notes = [ShardUpdate(REDIRECTED, row.id, decode(row.record, Redirect).target) for row in redirects]
    found = [item for number in shards for item in read_updated_shard(store, number, notes)]
    return [item for item in found if not isinstance(item, DeadLetter)]


def annotated(path: Path) -> Corpus:
    """Return annotated documents; of their facts nothing is used."""
    documents = [item for item in read_path(path, None) if isinstance(item, Document)]
    return [(item, Extraction(item.id, item.entities or (), ())) for item in documents]


def hide(corpus: Corpus, targets: float, entities: float) -> tuple[Corpus, Gold]:
    """Return the corpus without the ids of a share of the targets and of a share of all other linked entities."""
    hidden, gold = [], Gold()
    for document, extraction in corpus:
        bare, told = list[Entity](), []
        for index, entity in enumerate(extraction.entities):
            ids = knowledge_base_ids(document, entity, entity_name(document, entity)[0]) if entity.kb_ids else ()
            target = ids[0] if ids else ""
            gone = bool(target) and (share("target", target) < targets or share(document.id, index) < entities)
            bare.append(_bare(entity) if gone else entity)
            told.append((target, gone))
        hidden.append((document, msgspec.structs.replace(extraction, entities=tuple(bare))))
        gold.append(told)
    return hidden, gold


def _bare(entity: Entity) -> Entity:
    mentions = tuple(msgspec.structs.replace(mention, kb_ids=()) for mention in entity.mentions)
    return msgspec.structs.replace(entity, kb_ids=(), mentions=mentions)


def profiles_of(corpus: Corpus) -> dict[str, NodeProfile]:
    tallies: dict[str, ProfileTally] = defaultdict(ProfileTally)
    for document, extraction in corpus:
        for id, tally in profile_tallies(document, extraction, named_entities(document, extraction)):
            tallies[id].merge(tally)
    return {id: tally.profile(id) for id, tally in tallies.items()}


def near(profiles: Mapping[str, NodeProfile]) -> tuple[dict[str, set[str]], int]:
    """Return for every node those it is compared with, and how many blocks were cut."""
    blocks = defaultdict(list)
    for profile in profiles.values():
        for key in keys(profile):
            blocks[key].append(blocking_record(profile))
    found: dict[str, set[str]] = defaultdict(set)
    for key, cards in blocks.items():
        for one, other in pairs(key, nsmallest(LARGEST, cards, key=order)):
            found[one].add(other)
            found[other].add(one)
    return found, sum(len(cards) > LARGEST for cards in blocks.values())


def labelled(corpus: Corpus, gold: Gold) -> Iterator[tuple[NodeProfile, NodeProfile, bool]]:
    """Yield pairs of compared nodes, and whether links say that they are one."""
    profiles = profiles_of(corpus)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (document, extraction), told in zip(corpus, gold, strict=True):
        for named, (target, _) in zip(named_entities(document, extraction), told, strict=True):
            counts[named.node][target] += 1
    label = {node: found.most_common(1)[0] for node, found in counts.items()}
    known = {n: target for n, (target, count) in label.items() if target and count >= PURE * counts[n].total()}
    for one, others in near(profiles)[0].items():
        for other in others:
            if one < other and one in known and other in known:
                same = known[one] == known[other]
                if same or not _may_redirect(known[one], known[other]):
                    yield profiles[one], profiles[other], same


def _may_redirect(one: str, other: str) -> bool:
    """Tell whether a title may be another spelling of the other page's: dumps of a part of all pages do not say."""

    def spelling(title: str) -> list[str]:
        words = folded(title.replace("(", " ").replace(")", " ")).split()
        return [word[:-1] if word.endswith("s") and len(word) > 3 else word for word in words]

    return one.startswith("wiki:") and spelling(one) == spelling(other)


def fitted(rows: list[tuple[NodeProfile, NodeProfile, bool]], threshold: float) -> MatchModel:
    """Return the logistic model with the highest penalised likelihood (L2, 1.0), no sign against its meaning."""
    values = np.array([(1.0, *features(one, other)) for one, other, _ in rows])
    same = np.array([row[2] for row in rows], float)

    def loss(weights: Any) -> tuple[float, Any]:
        odds = values @ weights
        error = 1 / (1 + np.exp(-odds)) - same
        penalty = np.concatenate([[0.0], weights[1:]])
        return np.logaddexp(0, odds).sum() - same @ odds + penalty @ penalty / 2, values.T @ error + penalty

    bounds = [(None, None), *((None, 0) if name in AGAINST else (0, None) for name in FEATURES)]
    best = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    bias, *weights = (round(float(weight), 3) + 0.0 for weight in best)
    return MatchModel(bias, dict(zip(FEATURES, weights, strict=True)), threshold)


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
    compared, cut = near(profiles)
    wanted = {
        node: matches(profiles[node], [profiles[id] for id in others], model) for node, others in compared.items()
    }
    return stars(wanted)[0], cut


def held_out(corpus: Corpus, model: MatchModel) -> dict[str, Any]:
    """Return what becomes of entities whose ids were hidden, before resolution and after."""
    hidden, gold = hide(corpus, 0.1, 0.1)
    began = time.monotonic()
    profiles = profiles_of(hidden)
    joined, cut = resolved(profiles, model)
    seconds = time.monotonic() - began
    before, after, targets, gone = list[str](), list[str](), list[str](), list[bool]()
    for (document, extraction), told in zip(hidden, gold, strict=True):
        for named, (target, was_hidden) in zip(named_entities(document, extraction), told, strict=True):
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


def pair_rates(rows: list[tuple[NodeProfile, NodeProfile, bool]], model: MatchModel) -> dict[str, dict[str, float]]:
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
    parser.add_argument("--pubtator", type=Path, nargs=2)
    parser.add_argument("--weights", action="store_true")
    parser.add_argument("--threshold", type=float, default=match_model().threshold)
    parser.add_argument("--sample", type=Path)
    given = parser.parse_args()
    corpus = dump(given.graph)
    parts = {
        "dump": tuple(
            [item for item in corpus if (share("page", item[0].id) < 0.5) is first] for first in (True, False)
        )
    }
    if given.pubtator:
        parts["pubtator"] = tuple(annotated(path) for path in given.pubtator)
    rows = [row for first, _ in parts.values() for much in (0.3, 0.6) for row in labelled(*hide(first, much, much))]
    model = fitted(rows, given.threshold)
    if given.weights:
        WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=2) + b"\n")
    results: dict[str, Any] = {
        "machine": processor(),
        "threshold": model.threshold,
        "fitted_to": {"pairs": len(rows), "same": sum(row[2] for row in rows)},
    }
    for name, (_, second) in parts.items():
        results[name] = {
            "pairs": pair_rates(list(labelled(*hide(second, 0.3, 0.3))), model),
            **held_out(second, model),
        }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    print(json.dumps(results, indent=2))
    if given.sample:
        write_sample(corpus, model, given.sample)


if __name__ == "__main__":
    main()
