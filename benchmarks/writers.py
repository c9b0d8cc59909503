"""Speed of the sinks: tables, N-Quads and the Cypher database at growing sizes, beside RDF libraries, in one run.

python -m benchmarks.writers [EDGES ...]

The graph is made up: five edges a node, one or two sentences of evidence an edge, 96 relations between two pairs of
types each. Seconds are CPU seconds of the process (all threads), the best of three rounds, so that other work on the
machine counts as little as it can; wall-clock seconds stand beside them. The libraries get the same quads parsed, and
only write them: pyoxigraph in N-Quads, rdflib in N-Triples without the triple terms that it cannot hold.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyoxigraph
import rdflib

from benchmarks.machine import processor
from schemas import RelationSchema, content_hash, load_relation_schema
from sinks import CypherWriter, GraphTables, RdfWriter, query, write_table

ROUNDS = 3
SIZES = (10_000, 100_000, 1_000_000)
# More than this the libraries would take minutes and gigabytes for.
COMPARED = 100_000
RESULTS = Path(__file__).parent / "results"


def make_graph(folder: Path, edges: int, schema: RelationSchema) -> GraphTables:
    """Write the tables of a graph, column by column, since a million records are slow to make."""
    chance = random.Random(edges)
    types = schema.entity_types
    nodes = edges // 5
    ids = [content_hash("node", str(number)) for number in range(nodes)]
    kinds = [[chance.sample(range(len(types)), 2) for _ in range(2)] for _ in schema.relations]
    relations = [int(len(kinds) * chance.random() ** 3) for _ in range(edges)]
    ends = [chance.choice(kinds[relation]) for relation in relations]
    heads, tails = (
        [ids[chance.randrange(nodes // len(types)) * len(types) + end[side]] for end in ends] for side in (0, 1)
    )
    edge_ids = [content_hash("edge", str(number)) for number in range(edges)]
    support = [number % 2 + 1 for number in range(edges)]
    stated = [(row, copy) for row in range(edges) for copy in range(support[row])]
    documents = [f"wiki:Page {number}" for number in range(max(2, edges // 20))]
    names = [f"Name {number}" for number in range(nodes)]
    text = "This sentence of a usual length says that one thing has something to do with another."
    span = [{"start": 0, "end": 4}]
    columns = {
        "nodes": {
            "id": ids,
            "name": names,
            "type": [types[number % len(types)] for number in range(nodes)],
            "aliases": [[name, f"{name} junior"] for name in names],
            "kb_ids": [[f"wiki:{name}"] for name in names],
            "support": [3] * nodes,
            "mentions": [5] * nodes,
        },
        "edges": {
            "id": edge_ids,
            "head": heads,
            "relation": [schema.relations[relation].id for relation in relations],
            "tail": tails,
            "confidence": [round(chance.random(), 6) for _ in range(edges)],
            "support": support,
            "independent": support,
            "derived_from": [[]] * edges,
            "conflict": [False] * edges,
            "rank": [0] * edges,
        },
        "evidence": {
            "edge": [edge_ids[row] for row, _ in stated],
            "document": [documents[(row * 7 + copy) % len(documents)] for row, copy in stated],
            "sentence": [row % 30 for row, _ in stated],
            "start": [0] * len(stated),
            "end": [len(text)] * len(stated),
            "text": [f"{text} {row + copy}" for row, copy in stated],
            "head_spans": [span] * len(stated),
            "tail_spans": [span] * len(stated),
            "probability": [0.5] * len(stated),
        },
        "documents": {
            "id": documents,
            "source": ["made.xml"] * len(documents),
            "title": [id.removeprefix("wiki:") for id in documents],
            "text": [text] * len(documents),
            **{name: [1] * len(documents) for name in ("tokens", "sentences", "entities", "facts", "version")},
            "metadata": [[]] * len(documents),
        },
    }
    for name, table in columns.items():
        write_table(pa.table(table), name, folder / "tables" / f"{name}.parquet")
    return GraphTables.open(folder)


def best(action: Callable[[], object]) -> tuple[float, float]:
    """Return the least CPU seconds and the least wall-clock seconds of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        rounds.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(cpu for cpu, _ in rounds), min(wall for _, wall in rounds)


def measure(edges: int, schema: RelationSchema, folder: Path) -> list[dict[str, object]]:
    tables = make_graph(folder, edges, schema)
    rows = tables.count("nodes") + edges
    shuffled = tables.read("edges").take(random.Random(1).sample(range(edges), edges))
    nq, db = folder / "graph.nq", folder / "graph.db"
    found: list[dict[str, object]] = []

    def note(what: str, unit: str, count: int, action: Callable[[], object]) -> None:
        cpu, wall = best(action)
        found.append({"edges": edges, "what": what, "unit": unit, "count": count, "cpu": cpu, "wall": wall})
        print(f"{edges:>9,}  {what:42} {cpu:8.2f} s  {count / cpu:12,.0f} {unit}/s", flush=True)

    note("edges table, sorted from any order", "rows", edges, lambda: write_table(shuffled, "edges", folder / "edges"))
    quads = RdfWriter().write(tables, nq, schema)["triples"]
    note("graph.nq from the tables", "triples", quads, lambda: RdfWriter().write(tables, nq, schema))
    if edges <= COMPARED:
        parsed = list(pyoxigraph.parse(path=str(nq), format=pyoxigraph.RdfFormat.N_QUADS))
        assert len(parsed) == quads
        note(
            "pyoxigraph.serialize of parsed quads",
            "triples",
            quads,
            lambda: pyoxigraph.serialize(parsed, str(folder / "other"), format=pyoxigraph.RdfFormat.N_QUADS),
        )
        graph = rdflib.Graph()
        plain = [quad for quad in parsed if not isinstance(quad.object, pyoxigraph.Triple)]
        graph.parse(data=pyoxigraph.serialize((quad.triple for quad in plain), format=pyoxigraph.RdfFormat.N_TRIPLES))
        note(
            "rdflib serialize of a loaded graph",
            "triples",
            len(graph),
            lambda: graph.serialize(folder / "other", "nt11", encoding="utf-8"),
        )
    note("graph.db from the tables", "nodes+edges", rows, lambda: CypherWriter().write(tables, db, schema))
    cypher = "MATCH (p:PER)-[r]->(o) WHERE r.confidence > 0.99 RETURN type(r), count(*) AS n ORDER BY n DESC LIMIT 5"
    note("one query, opening included", "queries", 1, lambda: query(db, cypher))
    return found


def main() -> None:
    schema = load_relation_schema("docred")
    results: list[dict[str, object]] = []
    for edges in [int(size) for size in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            results += measure(edges, schema, Path(folder))
    packages = {name: version(name) for name in ("pyarrow", "ladybug", "pyoxigraph", "rdflib")}
    RESULTS.mkdir(exist_ok=True)
    report = {"machine": processor(), "rounds": ROUNDS, "versions": packages}
    (RESULTS / "writers.json").write_text(json.dumps({**report, "results": results}, indent=1) + "\n")
    lines = [
        "# Speed of the sinks",
        "",
        f"`python -m benchmarks.writers`, best of {ROUNDS} rounds, CPU seconds of the process and wall-clock seconds; "
        + ", ".join(f"{name} {number}" for name, number in packages.items()),
        "",
        "| edges | what | CPU s | wall s | per CPU second |",
        "|---|---|---|---|---|",
        *(
            f"| {row['edges']:,} | {row['what']} | {row['cpu']:.2f} | {row['wall']:.2f} "
            f"| {float(str(row['count'])) / float(str(row['cpu'])):,.0f} {row['unit']} |"
            for row in results
        ),
    ]
    (RESULTS / "writers.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
