"""Speed of loading Neo4j: one server, one run, growing graphs, beside other ways to write the same.

python -m benchmarks.neo4j_load [EDGES ...] [--writers N ...]

A server of one's own is started (`make neo4j` says what it needs), with APOC for neo4j-graphrag; its data are removed
between the rows. The graph is that of `benchmarks/writers.py`: five edges a node, one or two sentences of evidence an
edge, 96 relations. All ways write the same nodes and relationships with the same properties; ours and the import tool
write the documents too, read the tables, which the others get as rows ready made, and check what is there. The ways
that are slow are measured on the first edges only, where all their nodes are there already. Every way runs once on a
small graph first, so that the server has its plans and its code compiled.

Rates are told per second by the clock and per CPU second of client and server together: the latter are what can be
compared on a machine that has other work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import neo4j
from neo4j_graphrag.components.kg_writer import Neo4jWriter as GraphragWriter
from neo4j_graphrag.components.types import Neo4jGraph, Neo4jNode, Neo4jRelationship

from benchmarks.writers import make_graph
from runners import maven
from runners.neo4j_server import VERSION, Neo4jServer, libraries
from schemas import RelationSchema, load_relation_schema
from sinks import GraphTables
from sinks.evidence import edges_with_evidence
from sinks.neo4j import Neo4jWriter
from sinks.neo4j_import import Neo4jImportWriter
from sinks.property_graph import EDGE_PROPERTIES, Names

SIZES = (100_000, 1_000_000)
WARM = 2_000
# Edges that the slow ways are measured on.
SAMPLE = {"single MERGE": 500, "neo4j-graphrag": 4_000, "UNWIND MERGE": 10_000}
# Rows of a batch of the ways beside ours.
BATCH = 10_000
APOC = "5.26.19"
RESULTS = Path(__file__).parent / "results"

Rows = list[dict[str, Any]]
NODES = "UNWIND $rows AS row CREATE (n:Entity) SET n = row, n:$(row.type)"
ENDS = "UNWIND $rows AS row MATCH (h:Entity {id: row.head}) MATCH (t:Entity {id: row.tail}) "


@dataclass(frozen=True)
class Timing:
    """How many elements were written, in how many seconds by the clock and of CPU time, client and server together."""

    elements: int
    wall: float
    cpu: float


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

    def ours(self, writers: int) -> Timing:
        return self._timed(lambda: Neo4jWriter(writers).write(self.tables, self.server.uri, self.schema), self._all())

    def imported(self) -> Timing:
        writer = Neo4jImportWriter("csv")
        self.server.stop()

        def load() -> None:
            writer.write(self.tables, self.folder / writer.file, self.schema)
            self.server.run_admin_script(self.folder / writer.file / "import.sh")

        timing = self._timed(load, self._all())
        self.server.start()
        return timing

    def created(self, nodes: Rows, edges: Rows) -> Timing:
        """CREATE in large batches into what is empty: fast, and every repetition doubles the graph."""

        def load(driver: neo4j.Driver) -> None:
            self._make_nodes(driver, nodes)
            for rows in _batches(edges, BATCH):
                driver.execute_query(f"{ENDS} CREATE (h)-[r:$(row.type)]->(t) SET r = row.edge", rows=rows)

        return self._driven(load, len(nodes) + len(edges))

    def merged(self, nodes: Rows, edges: Rows) -> Timing:
        """UNWIND ... MERGE in batches of 1,000, rows as they come, the type from the row, by one writer."""

        def load(driver: neo4j.Driver) -> None:
            for rows in _batches(edges, 1_000):
                merge = f"{ENDS} MERGE (h)-[r:$(row.type) {{id: row.edge.id}}]->(t) SET r = row.edge"
                driver.execute_query(merge, rows=rows)

        with self.server.connect() as driver:
            self._make_nodes(driver, nodes)
        return self._driven(load, len(edges))

    def single(self, nodes: Rows, edges: Rows) -> Timing:
        """One MERGE and one transaction for every row."""

        def load(driver: neo4j.Driver) -> None:
            with driver.session() as session:
                for row in edges:
                    session.run(
                        "MATCH (h:Entity {id: $head}) MATCH (t:Entity {id: $tail}) "
                        f"MERGE (h)-[r:`{row['type']}` {{id: $edge.id}}]->(t) SET r = $edge",
                        **row,
                    ).consume()

        with self.server.connect() as driver:
            self._make_nodes(driver, nodes)
        return self._driven(load, len(edges))

    def graphrag(self, nodes: Rows, edges: Rows) -> Timing:
        """The writer of neo4j-graphrag, with some edges and their nodes: it cannot be given edges alone."""
        ends = {row[end] for row in edges for end in ("head", "tail")}
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
                for row in edges
            ],
        )

        def load(driver: neo4j.Driver) -> None:
            done = asyncio.run(GraphragWriter(driver, batch_size=1_000).run(graph))
            if done.status != "SUCCESS":
                raise RuntimeError(f"neo4j-graphrag: {done.metadata}")

        return self._driven(load, len(graph.nodes) + len(edges))

    def _make_nodes(self, driver: neo4j.Driver, nodes: Rows) -> None:
        driver.execute_query("CREATE CONSTRAINT plain IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE")
        for rows in _batches(nodes, BATCH):
            driver.execute_query(NODES, rows=rows)

    def _all(self) -> int:
        return sum(self.tables.count(name) for name in ("nodes", "edges", "documents"))

    def _driven(self, load: Callable[[neo4j.Driver], None], count: int) -> Timing:
        with self.server.connect() as driver:
            return self._timed(lambda: load(driver), count)

    def _timed(self, load: Callable[[], object], count: int) -> Timing:
        cpu, start = self._cpu(), time.monotonic()
        load()
        return Timing(count, time.monotonic() - start, self._cpu() - cpu)

    def _cpu(self) -> float:
        """Return the CPU seconds of this process, of its children that have ended, and of the server."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = time.process_time() + ended.ru_utime + ended.ru_stime
        if self.server.process is not None:
            numbers = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
        return seconds


def ways(bench: Bench, writers: Sequence[int]) -> dict[str, Callable[[], Timing]]:
    nodes, edges = bench.rows()
    some = {name: edges[:count] for name, count in SAMPLE.items()}
    return {
        "single MERGE": lambda: bench.single(nodes, some["single MERGE"]),
        "neo4j-graphrag": lambda: bench.graphrag(nodes, some["neo4j-graphrag"]),
        "UNWIND MERGE": lambda: bench.merged(nodes, some["UNWIND MERGE"]),
        "UNWIND CREATE": lambda: bench.created(nodes, edges),
        **{
            f"factmill, {number} writer{'s' * (number > 1)}": lambda number=number: bench.ours(number)
            for number in writers
        },
        "factmill, nothing changed": lambda: bench.ours(1),
    }


def add_apoc(server: Neo4jServer) -> None:
    """Give APOC to a server that does not run, without those of its libraries that the server has in newer versions."""
    there = {jar.name.rpartition("-")[0] for jar in libraries().iterdir()}
    plugins = server.home / "plugins"
    plugins.mkdir()
    jars = maven.fetched(f"apoc-{APOC}", [("org.neo4j.procedure", name, APOC) for name in ("apoc-core", "apoc-common")])
    for jar in jars.iterdir():
        if jar.name.rpartition("-")[0] not in there:
            shutil.copy(jar, plugins)


def _batches(rows: Rows, size: int) -> list[Rows]:
    iterator = iter(rows)
    return list(iter(lambda: list(islice(iterator, size)), []))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edges", type=int, nargs="*", default=SIZES)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 2])
    given = parser.parse_args()
    schema = load_relation_schema("docred")
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        server = Neo4jServer(Path(folder) / "server", heap=1_024)
        os.environ.update(server.environment)
        os.environ.pop("NEO4J_DATABASE", None)
        add_apoc(server)
        server.start()
        try:
            benches = []
            for edges in (WARM, *given.edges):
                place = Path(folder) / str(edges)
                bench = Bench(server, make_graph(place, edges, schema), schema, place)
                benches.append(bench)
                for name, way in ways(bench, given.writers).items():
                    if "nothing changed" not in name:
                        bench.empty()
                    note(results, bench, name, way())
            # Last of all, because the server is stopped for it and has to compile its code again.
            for bench in benches[1:]:
                note(results, bench, "neo4j-admin import, factmill's files", bench.imported())
        finally:
            server.stop()


def note(results: list[dict[str, object]], bench: Bench, way: str, timing: Timing) -> None:
    """Say what was measured, and save it unless it was to warm the server up."""
    edges = bench.tables.count("edges")
    print(f"{edges:>9,}  {way:36} {timing.elements:>9,} {timing.wall:>8.1f} s {timing.cpu:>8.1f} CPU s", flush=True)
    if edges != WARM:
        row = {"edges": edges, "way": way, "elements": timing.elements}
        results.append({**row, "wall": round(timing.wall, 2), "cpu": round(timing.cpu, 2)})
        results.sort(key=lambda row: int(str(row["edges"])))
        save(results)


def save(results: list[dict[str, object]]) -> None:
    cores = len(os.sched_getaffinity(0))
    packages = {name: version(name) for name in ("neo4j", "neo4j-graphrag")}
    report = {"machine": platform.processor() or platform.machine(), "cores": cores, "server": VERSION, "apoc": APOC[2]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "neo4j.json").write_text(
        json.dumps({**report, "versions": packages, "results": results}, indent=1) + "\n"
    )

    def rate(row: dict[str, object], seconds: str) -> float:
        return float(str(row["elements"])) / float(str(row[seconds]))

    single = {row["edges"]: rate(row, "cpu") for row in results if row["way"] == "single MERGE"}
    stated = ", ".join(f"{name} {number}" for name, number in packages.items())
    command = " ".join(["python -m benchmarks.neo4j_load", *dict.fromkeys(str(row["edges"]) for row in results)])
    lines = [
        "# Speed of loading Neo4j",
        "",
        f"`{command}`, Neo4j Community {VERSION} with APOC {APOC} and its client together on {cores} "
        f"core{'s' * (cores > 1)}, {stated}. Elements are nodes, relationships and, in ours and the import, documents; "
        f"slow ways are measured on the first edges, and in those of single MERGE a statement for each type of "
        f"relationship is planned. CPU seconds are those of client and server together: compare "
        f"them where the machine had other work.",
        "",
        "| edges | way | elements | s | CPU s | elements per second | per CPU second | times single MERGE |",
        "|" + "---|" * 8,
        *(
            f"| {row['edges']:,} | {row['way']} | {row['elements']:,} | {row['wall']} | {row['cpu']} "
            f"| {rate(row, 'wall'):,.0f} | {rate(row, 'cpu'):,.0f} | {rate(row, 'cpu') / single[row['edges']]:.1f} |"
            for row in results
        ),
    ]
    (RESULTS / "neo4j.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
