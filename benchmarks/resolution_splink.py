"""Resolution by factmill and by Splink, in one process each, of the same nodes of a made-up world whose truth is known.

    python -m benchmarks.resolution_splink [--documents 1000 4000 16000] [--pubtator CDR_DevelopmentSet.PubTator.txt]

The world is `benchmarks/world.py`; with --pubtator, annotated documents too, with a fifth of their ids hidden as in
`benchmarks/resolution.py`. Both get the profiles of all nodes that are to be told apart and never join two ids or two
types. Splink (Fellegi-Sunter on DuckDB) blocks on letters, first and last word and acronym, as factmill does, compares
names, aliases and neighbours, estimates its parameters as its tutorial shows, without labels, and joins connected
components from the same probability on. Pairwise and B-cubed figures are over mentions of entities in documents.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.machine import processor
from benchmarks.resolution import resolved, scores
from benchmarks.world import World
from pipeline.merging.findings import named_entities
from pipeline.resolution.fit import Corpus, annotated_corpus, hide, profiles_of
from pipeline.resolution.matching import match_model
from pipeline.resolution.names import folded
from pipeline.resolution.node_profiles import NodeProfile

RESULTS = Path(__file__).parent / "results" / "resolution_splink.json"
_DOCUMENTS_PER_ENTITY = 5


def made(documents: int) -> tuple[Corpus, list[str], list[bool]]:
    """Return a made-up corpus, and of every entity in it which one it is and whether no id tells."""
    world = World(max(1000, documents // _DOCUMENTS_PER_ENTITY))
    corpus, truth, open_ = Corpus(), list[str](), list[bool]()
    for number in range(documents):
        document, extraction, entities = world.document(number)
        corpus.append((document, extraction))
        truth += map(str, entities)
        open_ += [not entity.kb_ids for entity in extraction.entities]
    return corpus, truth, open_


def labelled(path: Path) -> tuple[Corpus, list[str], list[bool]]:
    """Return annotated documents without the ids of some entities, and of every entity its id and whether it is hidden.

    Entities without an id are told apart by where they are, so that no pair of them counts as one.
    """
    corpus, gold = hide(annotated_corpus(path), 0.1, 0.1)
    told = [
        (target or f"{item[0].id} {index}", gone)
        for item, entities in zip(corpus, gold, strict=True)
        for index, (target, gone) in enumerate(entities)
    ]
    return corpus, [target for target, _ in told], [gone for _, gone in told]


def by_factmill(profiles: Mapping[str, NodeProfile]) -> dict[str, str]:
    """Return the cluster of every node."""
    joined, _ = resolved(profiles, match_model())
    return {node: joined[node].centre if node in joined else node for node in profiles}


def by_splink(profiles: Mapping[str, NodeProfile]) -> dict[str, str]:
    """Return the cluster of every node."""
    import splink.comparison_library as compare
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    rows = []
    for profile in profiles.values():
        words = folded(profile.name).split() or [""]
        rows.append(
            {
                "unique_id": profile.id,
                "kb_id": profile.kb_id or None,
                "type": profile.type,
                "name": " ".join(words),
                "letters": "".join(words),
                "first": words[0],
                "last": words[-1],
                "acronym": "".join(word[0] for word in words if word) if len(words) > 1 else "".join(words),
                "aliases": sorted({folded(alias) for alias in (profile.name, *profile.aliases)}),
                "neighbours": list(profile.neighbours),
            }
        )
    apart = "(l.kb_id is null or r.kb_id is null)"
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.NameComparison("name"),
            compare.ArrayIntersectAtSizes("aliases", [1]),
            compare.ArrayIntersectAtSizes("neighbours", [2, 1]),
        ],
        blocking_rules_to_generate_predictions=[
            f"l.type = r.type and l.{key} = r.{key} and {apart}" for key in ("letters", "last", "first", "acronym")
        ],
    )
    database = DuckDBAPI()
    linker = Linker(database.register(pa.Table.from_pylist(rows)), settings, log_level=40)
    linker.training.estimate_probability_two_random_records_match([block_on("type", "letters")], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("type", "last"), block_on("type", "first")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    cut = match_model().threshold
    found = linker.inference.predict(threshold_match_probability=cut)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(found, cut)
    return {row["unique_id"]: str(row["cluster_id"]) for row in clusters.as_record_list()}


WAYS = {"factmill": by_factmill, "splink": by_splink}


def measure(way: str, given: int | Path) -> dict[str, Any]:
    """Resolve a corpus one way, and return what was measured."""
    corpus, truth, open_ = made(given) if isinstance(given, int) else labelled(given)
    profiles = profiles_of(corpus)
    before = [named.node for item in corpus for named in named_entities(*item)]
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, cpu = time.monotonic(), time.process_time()
    cluster = WAYS[way](profiles)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    return {
        "corpus": f"{given:,} made documents" if isinstance(given, int) else given.name,
        "way": way,
        "nodes": len(profiles),
        "joined": len(profiles) - len(set(cluster.values())),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "added_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) // 1024,
        "before": scores(before, truth, open_),
        "after": scores([cluster[node] for node in before], truth, open_),
    }


def main() -> None:
    """Measure every corpus both ways, each in a process of its own, and write the results."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, nargs="*", default=[1000, 4000, 16000])
    parser.add_argument("--pubtator", type=Path)
    given = parser.parse_args()
    rows = []
    for corpus in (*given.documents, *([given.pubtator] if given.pubtator else [])):
        for way in WAYS:
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                rows.append(process.submit(measure, way, corpus).result())
            print(json.dumps(rows[-1]), flush=True)
    about = {"machine": processor(), "splink": version("splink")}
    RESULTS.write_text(json.dumps({"about": about, "rows": rows}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
