"""Speed of loading Neo4j: one server, one run, growing graphs, beside other ways to write the same.

python -m benchmarks.neo4j_load [EDGES ...] [--writers N ...] [--minutes M] [--only-ours] [--name NAME] [--folder DIR]

A server of one's own is started (`make neo4j` says what it needs), with APOC for neo4j-graphrag. The graph is that of
`benchmarks/writers.py`: five edges a node, one or two sentences of evidence an edge, 96 relations. All ways write the
same nodes and relationships with the same properties; ours and the import tool write the documents too, read the
tables, which the others get as rows ready made, and check what is there.

The ways beside ours share one graph: large CREATEs make its nodes, and then every way writes edges that are not there
yet, until its share of them or its time is at an end, neo4j-graphrag with nodes of its own, because it cannot be given
edges alone. So the slow ones, too, meet a graph of full size. Then those that may write what is there already do so
with the same rows, for half of the time: they refresh the graph. Ours and the import load the whole graph into what is
empty; ours then refresh it where nothing changed, and where 1 % of the documents did: every 200th is gone, with the
edges that it alone stated, as many others read differently, the edges of both have other confidence, and their ends
other counts. What is refreshed counts whole, whether it had to be written or not. Every way runs once on a small graph
first, so that the server has its plans and its code compiled. `--only-ours` with `--writers 1 2` shows from which size
on several writers pay.

Rates are told per second by the clock and per CPU second of client and server together: the latter are what can be
compared on a machine that has other work. Tables and rows are streamed; what grows with the graph is what ours remember
of what the server holds, three numbers an element, and its digests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import neo4j
import pyarrow as pa
import pyarrow.compute as pc
from neo4j_graphrag.components.kg_writer import Neo4jWriter as GraphragWriter
from neo4j_graphrag.components.types import Neo4jGraph, Neo4jNode, Neo4jRelationship

from benchmarks.machine import processor
from benchmarks.writers import make_graph
from runners.execution import maven_artifacts as maven
from schemas import RelationSchema, load_relation_schema
from sinks import GraphTables, write_table
from sinks.neo4j.import_files import Neo4jImportWriter
from sinks.neo4j.writer import Neo4jWriter
from sinks.property_graph import EDGE_PROPERTIES, Names
from sinks.tables.evidence import edges_with_evidence
from tools.neo4j_server import VERSION, Neo4jServer, libraries

SIZES = (100_000, 1_000_000)
WARM = 2_000
# The most edges of the graph that a way beside ours writes, one in so many; the last may write all that are left.
SHARE = {"single MERGE": 20, "neo4j-graphrag": 4, "UNWIND MERGE": 4}
# Edges of one statement, or of one call of the clock.
BATCH = {"single MERGE": 20, "neo4j-graphrag": 4_000, "UNWIND MERGE": 1_000, "UNWIND CREATE": 10_000}
AGAIN = "what is there already"
APOC = "5.26.19"
# Megabytes of the server: enough for five million edges, and half as many again for its pages.
HEAP = 4_096
RESULTS = Path(__file__).parent / "results"

Rows = list[dict[str, Any]]
NODES = "UNWIND $rows AS row CREATE (n:Entity) SET n = row, n:$(row.type)"
ENDS = "UNWIND $rows AS row MATCH (h:Entity {id: row.head}) MATCH (t:Entity {id: row.tail}) "


@dataclass(frozen=True)
class Timing:
    """How many elements were written, in how many seconds by the clock and of CPU time, client and server together."""

    elements: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.elements + other.elements, self.wall + other.wall, self.cpu + other.cpu)


class Bench:
    """One server and one graph, and the ways to bring the one into the other."""

    def __init__(self, server: Neo4jServer, edges: int, schema: RelationSchema, folder: Path) -> None:
        self.server = server
        self.tables, self.changed = made(folder, edges, schema)
        self.schema = schema
        self.folder = folder
        self.names = Names.of(self.tables, schema)

    def empty(self) -> None:
        with self.server.connect() as driver, driver.session() as session:
            for pattern in ("()-[x]->()", "(x)"):
                session.run(f"MATCH {pattern} CALL (x) {{ DELETE x }} IN TRANSACTIONS OF 10000 ROWS").consume()
            for kind in ("CONSTRAINT", "INDEX"):
                for name in session.run(f"SHOW {kind} YIELD name, type WHERE type <> 'LOOKUP' RETURN name").value():
                    session.run(f"DROP {kind} `{name}` IF EXISTS").consume()

    def edges(self) -> Iterator[dict[str, Any]]:
        for table in edges_with_evidence(self.tables, BATCH["UNWIND CREATE"]):
            for row in table.to_pylist():
                yield {
                    "head": row["head"],
                    "tail": row["tail"],
                    "type": self.names.types[row["relation"]],
                    "edge": {name: row[name] for name in EDGE_PROPERTIES},
                }

    def beside(self, seconds: float) -> Iterator[tuple[str, Timing]]:
        """Yield what the ways beside ours take, each for so many seconds at most; they share one graph."""
        self.empty()
        left, written = self.edges(), []
        with self.server.connect() as driver:
            nodes = self._nodes(driver)
            for name, way in (
                ("single MERGE", self._single),
                ("neo4j-graphrag", self._graphrag),
                ("UNWIND MERGE", self._merge),
            ):
                rows = islice(left, self.tables.count("edges") // SHARE[name])
                count, timing = self._for(seconds, partial(way, driver), _batches(rows, BATCH[name]))
                yield name, timing
                written.append((name, way, count))
            rows = _batches(left, BATCH["UNWIND CREATE"])
            yield "UNWIND CREATE", self._for(seconds, partial(self._create, driver), rows)[1] + nodes
            again = self.edges()
            for name, way, count in written:
                rows = islice(again, count)
                yield f"{name}, {AGAIN}", self._for(seconds / 2, partial(way, driver), _batches(rows, BATCH[name]))[1]
                deque(rows, 0)  # what there was no time for

    @staticmethod
    def _for(seconds: float, way: Callable[[Rows], Timing], batches: Iterator[Rows]) -> tuple[int, Timing]:
        """Write batches until the time is at an end; return how many edges that were, and what it took."""
        edges, timing = 0, Timing()
        for rows in batches:
            timing += way(rows)
            edges += len(rows)
            if timing.wall > seconds:
                break
        return edges, timing

    def ours(self, tables: GraphTables, writers: int = 1) -> Timing:
        return self._timed(lambda: Neo4jWriter(writers).write(tables, self.server.uri, self.schema), _elements(tables))

    def imported(self) -> Timing:
        writer = Neo4jImportWriter("csv")
        self.server.stop()

        def load() -> None:
            writer.write(self.tables, self.folder / writer.file, self.schema)
            self.server.run_admin_script(self.folder / writer.file / "import.sh")

        timing = self._timed(load, _elements(self.tables))
        self.server.start()
        return timing

    def _nodes(self, driver: neo4j.Driver) -> Timing:
        driver.execute_query("CREATE CONSTRAINT plain FOR (n:Entity) REQUIRE n.id IS UNIQUE")
        timing = Timing()
        for batch in self.tables.batches("nodes", rows=BATCH["UNWIND CREATE"]):
            rows = batch.to_pylist()
            timing += self._timed(lambda rows=rows: driver.execute_query(NODES, rows=rows), len(rows))
        return timing

    def _create(self, driver: neo4j.Driver, rows: Rows) -> Timing:
        """CREATE in large batches: fast, and every repetition doubles the graph."""
        create = f"{ENDS} CREATE (h)-[r:$(row.type)]->(t) SET r = row.edge"
        return self._timed(lambda: driver.execute_query(create, rows=rows), len(rows))

    def _merge(self, driver: neo4j.Driver, rows: Rows) -> Timing:
        """UNWIND ... MERGE, rows as they come, the type from the row, by one writer."""
        merge = f"{ENDS} MERGE (h)-[r:$(row.type) {{id: row.edge.id}}]->(t) SET r = row.edge"
        return self._timed(lambda: driver.execute_query(merge, rows=rows), len(rows))

    def _single(self, driver: neo4j.Driver, rows: Rows) -> Timing:
        """One MERGE and one transaction for every row."""

        def load() -> None:
            with driver.session() as session:
                for row in rows:
                    session.run(
                        "MATCH (h:Entity {id: $head}) MATCH (t:Entity {id: $tail}) "
                        f"MERGE (h)-[r:`{row['type']}` {{id: $edge.id}}]->(t) SET r = $edge",
                        **row,
                    ).consume()

        return self._timed(load, len(rows))

    def _graphrag(self, driver: neo4j.Driver, rows: Rows) -> Timing:
        """The writer of neo4j-graphrag, with some edges and their nodes."""
        ends = pa.array(sorted({row[end] for row in rows for end in ("head", "tail")}))
        graph = Neo4jGraph(
            nodes=[
                Neo4jNode(id=row["id"], label=row["type"], properties={k: v for k, v in row.items() if k != "id"})
                for row in self.tables.read("nodes", where=pc.field("id").isin(ends)).to_pylist()
            ],
            relationships=[
                Neo4jRelationship(
                    start_node_id=row["head"], end_node_id=row["tail"], type=row["type"], properties=row["edge"]
                )
                for row in rows
            ],
        )

        def load() -> None:
            done = asyncio.run(GraphragWriter(driver, batch_size=1_000).run(graph))
            if done.status != "SUCCESS":
                raise RuntimeError(f"neo4j-graphrag: {done.metadata}")

        return self._timed(load, len(graph.nodes) + len(rows))

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


def add_apoc(server: Neo4jServer) -> None:
    """Give APOC to a server that does not run, without those of its libraries that the server has in newer versions."""
    there = {jar.name.rpartition("-")[0] for jar in libraries().iterdir()}
    plugins = server.home / "plugins"
    plugins.mkdir()
    jars = maven.fetched(f"apoc-{APOC}", [("org.neo4j.procedure", name, APOC) for name in ("apoc-core", "apoc-common")])
    for jar in jars.iterdir():
        if jar.name.rpartition("-")[0] not in there:
            shutil.copy(jar, plugins)


def made(folder: Path, edges: int, schema: RelationSchema) -> tuple[GraphTables, GraphTables]:
    """Make the graph, and the same after a change, in a process of its own: it takes gigabytes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        tables = process.submit(make_graph, folder, edges, schema).result()
        return tables, process.submit(change, tables, folder / "changed").result()


def change(tables: GraphTables, folder: Path) -> GraphTables:
    """Write the tables of a graph in which 1 % of the documents changed."""
    documents, evidence, edges, nodes = map(tables.read, ("documents", "evidence", "edges", "nodes"))
    gone, anew = (documents["id"].take(pa.array(range(first, len(documents), 200), pa.int64())) for first in (0, 100))
    touched = pc.is_in(evidence["document"], pa.chunked_array([*gone.chunks, *anew.chunks]))
    changed = evidence["edge"].filter(touched)
    texts = pc.if_else(
        touched, pc.binary_join_element_wise(evidence["text"], "It says so anew.", " "), evidence["text"]
    )
    evidence = _with(evidence, "text", texts).filter(pc.invert(pc.is_in(evidence["document"], gone)))
    edges = edges.filter(pc.is_in(edges["id"], evidence["edge"]))
    touched = pc.is_in(edges["id"], changed)
    edges = _with(edges, "confidence", pc.if_else(touched, pc.multiply(edges["confidence"], 0.5), edges["confidence"]))
    ends = pa.chunked_array([*edges["head"].filter(touched).chunks, *edges["tail"].filter(touched).chunks])
    for name in ("support", "mentions"):
        nodes = _with(nodes, name, pc.if_else(pc.is_in(nodes["id"], ends), pc.add(nodes[name], 1), nodes[name]))
    documents = documents.filter(pc.invert(pc.is_in(documents["id"], gone)))
    version = pc.if_else(pc.is_in(documents["id"], anew), 2, documents["version"])
    documents = _with(documents, "version", version)
    for name, table in (("documents", documents), ("evidence", evidence), ("edges", edges), ("nodes", nodes)):
        write_table(table, name, folder / "tables" / f"{name}.parquet")
    return GraphTables.open(folder)


def _elements(tables: GraphTables) -> int:
    return sum(map(tables.count, ("nodes", "edges", "documents")))


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _batches(rows: Iterator[dict[str, Any]], size: int) -> Iterator[Rows]:
    return iter(lambda: list(islice(rows, size)), [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edges", type=int, nargs="*", default=SIZES)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--minutes", type=float, default=10, help="for each of the ways beside ours [10]")
    parser.add_argument("--only-ours", action="store_true", help="leave the ways beside ours out")
    parser.add_argument("--name", default="neo4j", help="of the results [neo4j]")
    parser.add_argument("--folder", type=Path, help="where the data lie [the folder for temporary files]")
    given = parser.parse_args()
    schema = load_relation_schema("docred")
    report = Report(given.name, given.minutes)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        server = Neo4jServer(Path(folder) / "server", heap=HEAP)
        os.environ.update(server.environment)
        os.environ.pop("NEO4J_DATABASE", None)
        add_apoc(server)
        benches = [Bench(server, edges, schema, Path(folder) / str(edges)) for edges in (WARM, *given.edges)]
        server.start()
        try:
            for bench in benches:
                if not given.only_ours:
                    for name, timing in bench.beside(given.minutes * 60):
                        report.note(bench, name, timing)
                for writers in given.writers:
                    bench.empty()
                    name = f"factmill, {writers} writer{'s' * (writers > 1)}"
                    report.note(bench, name, bench.ours(bench.tables, writers))
                report.note(bench, "factmill, nothing changed", bench.ours(bench.tables))
                report.note(bench, "factmill, 1 % of the documents changed", bench.ours(bench.changed))
            # Last of all, because the server is stopped for it and has to compile its code again.
            for bench in benches[1:]:
                if not given.only_ours:
                    report.note(bench, "neo4j-admin import, factmill's files", bench.imported())
        finally:
            server.stop()


class Report:
    """What was measured, told and saved as it comes, save for what was to warm the server up."""

    def __init__(self, name: str, minutes: float) -> None:
        self._name = name
        self._minutes = minutes
        self._results: list[dict[str, Any]] = []

    def note(self, bench: Bench, way: str, timing: Timing) -> None:
        edges = bench.tables.count("edges")
        print(f"{edges:>9,}  {way:38} {timing.elements:>9,} {timing.wall:>8.1f} s {timing.cpu:>8.1f} CPU s", flush=True)
        if edges == WARM or not timing.elements:
            return
        row = {"edges": edges, "way": way, "elements": timing.elements}
        self._results.append({**row, "wall": round(timing.wall, 2), "cpu": round(timing.cpu, 2)})
        self._results.sort(key=lambda row: row["edges"])
        self._save()

    def _save(self) -> None:
        cores, load = len(os.sched_getaffinity(0)), round(os.getloadavg()[2], 1)
        packages = {name: version(name) for name in ("neo4j", "neo4j-graphrag")}
        about = {
            "machine": processor(),
            "cores": cores,
            "load": load,
            "server": VERSION,
            "apoc": APOC,
            "heap": HEAP,
            "minutes": self._minutes,
            "versions": packages,
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self._name}.json").write_text(json.dumps({**about, "results": self._results}, indent=1) + "\n")
        stated = ", ".join(f"{name} {number}" for name, number in packages.items())
        command = " ".join(
            ["python -m benchmarks.neo4j_load", *dict.fromkeys(str(row["edges"]) for row in self._results)]
        )
        lines = [
            "# Speed of loading Neo4j",
            "",
            f"`{command}`, Neo4j Community {VERSION} with APOC {APOC}, {HEAP} MB of heap and its client together on "
            f"{cores} core{'s' * (cores > 1)} (mean load of the machine {load}), {stated}. Elements are nodes, "
            f"relationships and, in ours and the import, documents. The ways beside ours write a part of the edges, "
            f"for {self._minutes:g} minutes each at most, into a graph that has all nodes, and once more for half as "
            f"long; in those of single MERGE a statement for each type of relationship is planned. Refreshes are "
            f"compared with refreshes. CPU seconds are those of client and server together: "
            f"compare them where the machine had other work.",
            "",
            "| edges | way | elements | s | CPU s | elements per second | per CPU second | times single MERGE "
            "| times neo4j-graphrag |",
            "|" + "---|" * 9,
            *map(self._line, self._results),
        ]
        (RESULTS / f"{self._name}.md").write_text("\n".join(lines) + "\n")

    def _line(self, row: dict[str, Any]) -> str:
        """Return a row of the table; how many times as fast as others at the same work is told by CPU seconds."""
        rate = row["elements"] / row["cpu"]
        refresh = row["way"].endswith((AGAIN, "changed"))
        others = [
            f"{rate / (other['elements'] / other['cpu']):.1f}"
            for name in ("single MERGE", "neo4j-graphrag")
            for other in self._results
            if (other["edges"], other["way"]) == (row["edges"], f"{name}, {AGAIN}" if refresh else name)
        ]
        cells = (
            f"{row['edges']:,}",
            row["way"],
            f"{row['elements']:,}",
            f"{row['wall']}",
            f"{row['cpu']}",
            f"{row['elements'] / row['wall']:,.0f}",
            f"{rate:,.0f}",
            *(others if len(others) == 2 else ("", "")),
        )
        return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
