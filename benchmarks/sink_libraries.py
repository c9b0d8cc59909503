"""RDF, GraphML and node-link JSON, written by factmill and by libraries from the same tables.

python -m benchmarks.sink_libraries [EDGES] [--rounds N]

With 100,000 edges, on two shared cores of an AMD EPYC, factmill wrote 3.1 million triples per CPU second and
pyoxigraph 0.36 million; 324,000 nodes and edges in GraphML against 54,000 of lxml; and 682,000 in JSON against 174,000
of json. That is why the sinks write these formats from Arrow columns themselves.

The graph is that of benchmarks/writers.py. The libraries get what the tables hold as Python objects, one term, element
or dictionary after the other, which is what a writer on top of them would do: pyoxigraph streams triples to a file,
lxml.etree.xmlfile streams elements, json streams objects. For RDF they write the edges and their statements only
(6 triples an edge), for GraphML and JSON all nodes and edges without evidence, and factmill's figure is that of the
whole file. Seconds are CPU seconds of the process, the best of the rounds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from lxml import etree

from benchmarks.writers import make_graph
from schemas import RelationSchema, load_relation_schema
from sinks import WRITERS, GraphTables
from sinks.rdf.prefixes import PREFIXES, expanded

_QUALITIES = {"confidence": "double", "support": "integer", "independent": "integer", "conflict": "boolean"}


def main() -> None:
    """Write in all ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edges", nargs="?", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    schema = load_relation_schema("docred")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tables = make_graph(place / "graph", options.edges, schema)
        ways: dict[str, Callable[[Path], int]] = {
            "RDF, factmill": lambda path: WRITERS["ntriples"].write(tables, path, schema)["triples"],
            "RDF, pyoxigraph": lambda path: write_rdf(tables, schema, path),
            "GraphML, factmill": lambda path: sum(WRITERS["graphml"].write(tables, path, schema).values()),
            "GraphML, lxml": lambda path: write_graphml(tables, path),
            "JSON, factmill": lambda path: sum(WRITERS["node-link"].write(tables, path, schema).values()),
            "JSON, json": lambda path: write_json(tables, path),
        }
        print(f"{options.edges:,} edges; CPU seconds, best of {options.rounds}")
        print("| writer | triples or elements | CPU s | per CPU second |\n|---|---|---|---|")
        for name, write in ways.items():
            best, count = float("inf"), 0
            for _ in range(options.rounds):
                started = time.process_time()
                count = write(place / "out")
                best = min(best, time.process_time() - started)
                (place / "out").unlink()
            print(f"| {name} | {count:,} | {best:.2f} | {count / best:,.0f} |", flush=True)


def write_rdf(tables: GraphTables, schema: RelationSchema, path: Path) -> int:
    """Write the edges and their statements with pyoxigraph."""
    written = 0

    def counted() -> Iterator[ox.Triple]:
        nonlocal written
        for triple in _triples(tables, schema):
            written += 1
            yield triple

    ox.serialize(counted(), str(path), format=ox.RdfFormat.N_TRIPLES)
    return written


def _triples(tables: GraphTables, schema: RelationSchema) -> Iterator[ox.Triple]:
    predicates = {relation.id: ox.NamedNode(relation.iri) for relation in schema.relations}
    qualities = {name: ox.NamedNode(expanded(f"fm:{name}")) for name in _QUALITIES}
    types = {name: ox.NamedNode(expanded(f"xsd:{kind}")) for name, kind in _QUALITIES.items()}
    reifies = ox.NamedNode(expanded("rdf:reifies"))
    for batch in tables.batches("edges", rows=8_192):
        for row in batch.to_pylist():
            head, tail = (ox.NamedNode(PREFIXES["node"] + row[end]) for end in ("head", "tail"))
            edge, stated = (
                ox.NamedNode(PREFIXES["edge"] + row["id"]),
                ox.Triple(head, predicates[row["relation"]], tail),
            )
            yield stated
            yield ox.Triple(edge, reifies, stated)
            for name, predicate in qualities.items():
                yield ox.Triple(edge, predicate, ox.Literal(str(row[name]), datatype=types[name]))


def write_graphml(tables: GraphTables, path: Path) -> int:
    """Write nodes and edges with lxml.etree.xmlfile."""
    written = 0
    with etree.xmlfile(str(path), encoding="utf-8") as file, file.element("graphml"), file.element("graph"):
        for table, kind in (("nodes", "node"), ("edges", "edge")):
            for batch in tables.batches(table, rows=8_192):
                for row in batch.to_pylist():
                    element = etree.Element(kind, id=row["id"])
                    for name, value in row.items():
                        etree.SubElement(element, "data", key=f"{kind}.{name}").text = _text(value)
                    file.write(element)
                    written += 1
    return written


def write_json(tables: GraphTables, path: Path) -> int:
    """Write nodes and edges with json, one object per line."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for table in ("nodes", "edges"):
            for batch in tables.batches(table, rows=8_192):
                for row in batch.to_pylist():
                    file.write(json.dumps(row, ensure_ascii=False) + ",\n")
                    written += 1
    return written


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
