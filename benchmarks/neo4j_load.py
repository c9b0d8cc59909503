"""Speed of loading Neo4j: one server, one run, growing graphs, beside other ways to write the same.

python benchmarks/neo4j_load.py [EDGES ...] [--writers N ...] [--apoc JAR]

A server of one's own is started (`make neo4j` says what it needs); its data are removed between the rows. The graph is
that of `benchmarks/writers.py`: five edges a node, one or two sentences of evidence an edge, 96 relations. All ways
write the same nodes and relationships with the same properties; ours and the import tool write the documents too.
Seconds are wall-clock, reading the tables included, save for the ways beside ours, which get their rows ready made.
`single MERGE` and `neo4j-graphrag` are measured on the first rows only, and told per second, since they are slow; the
latter needs APOC, and is left out without it. Every way runs once on a small graph first, so that the server has its
plans and its code compiled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import neo4j
from neo4j_graphrag.components.kg_writer import Neo4jWriter as GraphragWriter
from neo4j_graphrag.components.types import Neo4jGraph, Neo4jNode, Neo4jRelationship
from writers import make_graph

from runners.neo4j_server import VERSION, Neo4jServer
from schemas import RelationSchema, load_relation_schema
from sinks import GraphTables
from sinks.evidence import edges_with_evidence
from sinks.neo4j import Neo4jWriter
from sinks.neo4j_import import Neo4jImportWriter
from sinks.property_graph import EDGE_PROPERTIES, Names

SIZES = (10_000, 100_000)
WARM = 2_000
# Rows that the slow ways are measured on.
SAMPLE = 2_000
RESULTS = Path(__file__).parent / "results"

Rows = list[dict[str, Any]]


class Bench:
    """One server and one graph, and the ways to bring the one into the other."""

    def __init__(self, server: Neo4jServer, tables: GraphTables, schema: RelationSchema, folder: Path) -> None:
        self.server = server
        self.tables = tables
        self.schema = schema
        self.folder = folder
        self.names = Names.of(tables, schema)

    def empty(self) -> None:
        with self.server.connect() as driver, driver.session() as session:
            for pattern in ("()-[x]->()", "(x)"):
                session.run(f"MATCH {pattern} CALL (x) {{ DELETE x }} IN TRANSACTIONS OF 10000 ROWS").consume()
            for kind in ("CONSTRAINT", "INDEX"):
                for name in session.run(f"SHOW {kind} YIELD name, type WHERE type <> 'LOOKUP' RETURN name").value():
                    session.run(f"DROP {kind} `{name}` IF EXISTS").consume()

    def rows(self) -> tuple[Rows, Rows]:
        nodes = [row for batch in self.tables.batches("nodes") for row in batch.to_pylist()]
        edges = [
            {
                "head": row["head"],
                "tail": row["tail"],
                "type": self.names.types[row["relation"]],
                "edge": {name: row[name] for name in EDGE_PROPERTIES},
            }
            for table in edges_with_evidence(self.tables)
            for row in table.to_pylist()
        ]
        return nodes, edges

    def ours(self, writers: int | None) -> tuple[int, float]:
        return self._timed(lambda: Neo4jWriter(writers).write(self.tables, self.server.uri, self.schema))

    def ours_again(self) -> tuple[int, float]:
        return self._timed(lambda: Neo4jWriter().write(self.tables, self.server.uri, self.schema))

    def imported(self) -> tuple[int, float]:
        writer = Neo4jImportWriter("csv")
        self.server.stop()

        def load() -> None:
            writer.write(self.tables, self.folder / writer.file, self.schema)
            self.server.run_admin_script(self.folder / writer.file / "import.sh")

        timed = self._timed(load)
        self.server.start()
        return timed

    def plain(self, nodes: Rows, edges: Rows, size: int) -> tuple[int, float]:
        """UNWIND ... MERGE in batches of one size, rows as they come, the type from the row, by one writer."""

        def load(driver: neo4j.Driver) -> None:
            driver.execute_query("CREATE CONSTRAINT plain IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE")
            merge = "UNWIND $rows AS row MERGE (n:Entity {id: row.id}) SET n = row, n:$(row.type)"
            for rows in _batches(nodes, size):
                driver.execute_query(merge, rows=rows)
            merge = (
                "UNWIND $rows AS row MATCH (h:Entity {id: row.head}) MATCH (t:Entity {id: row.tail}) "
                "MERGE (h)-[r:$(row.type) {id: row.edge.id}]->(t) SET r = row.edge"
            )
            for rows in _batches(edges, size):
                driver.execute_query(merge, rows=rows)

        return self._driven(load, len(nodes) + len(edges))

    def created(self, nodes: Rows, edges: Rows) -> tuple[int, float]:
        """CREATE in large batches into what is empty: fast, and every repetition doubles the graph."""

        def load(driver: neo4j.Driver) -> None:
            driver.execute_query("CREATE CONSTRAINT plain IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE")
            for rows in _batches(nodes, 10_000):
                driver.execute_query("UNWIND $rows AS row CREATE (n:Entity) SET n = row, n:$(row.type)", rows=rows)
            create = (
                "UNWIND $rows AS row MATCH (h:Entity {id: row.head}) MATCH (t:Entity {id: row.tail}) "
                "CREATE (h)-[r:$(row.type)]->(t) SET r = row.edge"
            )
            for rows in _batches(edges, 10_000):
                driver.execute_query(create, rows=rows)

        return self._driven(load, len(nodes) + len(edges))

    def single(self, nodes: Rows, edges: Rows) -> tuple[int, float]:
        """One MERGE and one transaction for every row: all nodes are there, the first edges are measured."""
        some = edges[:SAMPLE]

        def load(driver: neo4j.Driver) -> None:
            with driver.session() as session:
                for row in some:
                    session.run(
                        "MATCH (h:Entity {id: $head}) MATCH (t:Entity {id: $tail}) "
                        f"MERGE (h)-[r:`{row['type']}` {{id: $edge.id}}]->(t) SET r = $edge",
                        head=row["head"],
                        tail=row["tail"],
                        edge=row["edge"],
                    ).consume()

        self._only_nodes(nodes)
        return self._driven(load, len(some))

    def graphrag(self, nodes: Rows, edges: Rows) -> tuple[int, float]:
        some = edges[:SAMPLE]
        ends = {row[end] for row in some for end in ("head", "tail")}
        graph = Neo4jGraph(
            nodes=[
                Neo4jNode(id=row["id"], label=row["type"], properties={k: v for k, v in row.items() if k != "id"})
                for row in nodes
                if row["id"] in ends
            ],
            relationships=[
                Neo4jRelationship(
                    start_node_id=row["head"], end_node_id=row["tail"], type=row["type"], properties=row["edge"]
                )
                for row in some
            ],
        )

        def load(driver: neo4j.Driver) -> None:
            done = asyncio.run(GraphragWriter(driver, batch_size=1_000).run(graph))
            if done.status != "SUCCESS":
                raise RuntimeError(f"neo4j-graphrag: {done.metadata}")

        return self._driven(load, len(graph.nodes) + len(some))

    def _only_nodes(self, nodes: Rows) -> None:
        self.plain(nodes, [], 10_000)

    def _timed(self, load: Callable[[], object]) -> tuple[int, float]:
        start = time.monotonic()
        load()
        count = sum(self.tables.count(name) for name in ("nodes", "edges", "documents"))
        return count, time.monotonic() - start

    def _driven(self, load: Callable[[neo4j.Driver], None], count: int) -> tuple[int, float]:
        with self.server.connect() as driver:
            start = time.monotonic()
            load(driver)
            return count, time.monotonic() - start


def ways(bench: Bench, writers: list[int], graphrag: bool) -> dict[str, Callable[[], tuple[int, float]]]:
    nodes, edges = bench.rows()
    found: dict[str, Callable[[], tuple[int, float]]] = {
        "single MERGE": lambda: bench.single(nodes, edges),
        **({"neo4j-graphrag": lambda: bench.graphrag(nodes, edges)} if graphrag else {}),
        "plain UNWIND, 1,000 rows": lambda: bench.plain(nodes, edges, 1_000),
        "CREATE, no second time": lambda: bench.created(nodes, edges),
        "neo4j-admin import": bench.imported,
    }
    for number in writers:
        found[f"factmill, {number} writer{'s' * (number > 1)}"] = lambda number=number: bench.ours(number)
    found["factmill, as it chooses"] = lambda: bench.ours(None)
    found["factmill, nothing changed"] = bench.ours_again
    return found


def _batches(rows: Rows, size: int) -> list[Rows]:
    iterator = iter(rows)
    return list(iter(lambda: list(islice(iterator, size)), []))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edges", type=int, nargs="*", default=SIZES)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--apoc", type=Path, metavar="JAR", help="APOC Core as released, which neo4j-graphrag needs")
    given = parser.parse_args()
    schema = load_relation_schema("docred")
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        server = Neo4jServer(Path(folder) / "server", heap=1_024)
        os.environ.update(server.environment)
        os.environ.pop("NEO4J_DATABASE", None)
        if given.apoc:
            (server.home / "plugins").mkdir()
            shutil.copy(given.apoc, server.home / "plugins")
        server.start()
        try:
            for edges in (WARM, *given.edges):
                place = Path(folder) / str(edges)
                bench = Bench(server, make_graph(place, edges, schema), schema, place)
                for name, way in ways(bench, given.writers, bool(given.apoc)).items():
                    if "nothing changed" not in name:
                        bench.empty()
                    count, seconds = way()
                    if edges != WARM:
                        results.append({"edges": edges, "way": name, "elements": count, "seconds": round(seconds, 2)})
                        print(f"{edges:>9,}  {name:28} {seconds:8.1f} s  {count / seconds:10,.0f} /s", flush=True)
        finally:
            server.stop()
    save(results)


def save(results: list[dict[str, object]]) -> None:
    cores = len(os.sched_getaffinity(0))
    packages = {name: version(name) for name in ("neo4j", "neo4j-graphrag")}
    report = {
        "machine": platform.processor() or platform.machine(),
        "cores": cores,
        "server": VERSION,
        "versions": packages,
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "neo4j.json").write_text(json.dumps(report, indent=1) + "\n")
    base = "neo4j-graphrag" if any(row["way"] == "neo4j-graphrag" for row in results) else "single MERGE"
    speed = {(row["edges"], row["way"]): float(str(row["elements"])) / float(str(row["seconds"])) for row in results}
    lines = [
        "# Speed of loading Neo4j",
        "",
        f"`python benchmarks/neo4j_load.py`, Neo4j Community {VERSION} and its client together on {cores} "
        f"core{'s' * (cores > 1)}, "
        + ", ".join(f"{name} {number}" for name, number in packages.items())
        + ". Elements are nodes, relationships and, in ours and the import, documents. Compare rows of one run only: "
        "other work on the machine slows all of them.",
        "",
        f"| edges | way | elements | s | elements per second | times {base} |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['edges']:,} | {row['way']} | {row['elements']:,} | {row['seconds']} "
            f"| {speed[row['edges'], row['way']]:,.0f} "
            f"| {speed[row['edges'], row['way']] / speed[row['edges'], base]:.1f} |"
            for row in results
        ),
    ]
    (RESULTS / "neo4j.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
