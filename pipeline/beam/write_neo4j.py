"""Loading Neo4j by many workers: nodes, then edges in rounds without a deadlock, then what `Neo4jWriter` makes sure of.

Workers only bring in what is there. Removing what is too much, counting and the word `complete` are left to one last
step, which compares everything; so a bundle that runs twice, or a worker that is lost, changes nothing in the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.metrics.metric import Metrics

from schemas import RelationSchema
from sinks import GraphTables
from sinks.labels import DOCUMENT, ENTITY
from sinks.neo4j.connection import Server, explained, server_at
from sinks.neo4j.digests import Range
from sinks.neo4j.schedule import cell_of, rounds
from sinks.neo4j.state import begin
from sinks.neo4j.statements import ROWS, Row, document_rows, edge_rows, node_rows
from sinks.neo4j.writer import (
    Neo4jWriter,
    existing_edges_of,
    existing_nodes,
    groups_for,
    paying_writers,
    write_edges,
    write_nodes,
)
from sinks.property_graph import Names, check_edges, documents
from sinks.tables.evidence import edges_with_evidence

# Nodes or edges that one element of the first step stands for, about.
_ROWS_PER_PIECE = 20_000
_MOST_PIECES = 4_096


@dataclass(eq=False)
class WriteNeo4j(beam.PTransform[Any, Any]):
    """The tables in a folder to a Neo4j server; the output is one element, the counts of what it then holds.

    Workers find user and password in their environment, never in the pipeline.

    Attributes:
        folder: the tables, as workers see them.
        uri: where the server listens.
        schema: the relation schema that the graph was built with.
        writers: how many write edges at the same time; None: as many as pay, and as the machine here has cores.
    """

    folder: str
    uri: str
    schema: RelationSchema
    writers: int | None = None

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline."""
        tables = GraphTables.open(Path(self.folder))
        names = Names.of(tables, self.schema)
        groups = groups_for(self.writers or paying_writers(tables.count("edges")))
        here = (self.folder, self.uri, self.schema)
        step = pipeline | "begin" >> beam.Create([None]) | "prepare" >> beam.ParDo(_Begin(*here))
        after = beam.pvalue.AsIter(step)
        written = [
            pipeline
            | f"pieces of {name}" >> beam.Create(pieces)
            | f"spread {name}" >> beam.Reshuffle()
            | f"write {name}" >> beam.ParDo(writer, after)
            for name, pieces, writer in (
                ("nodes", _pieces(tables.count("nodes")), _WriteNodes(*here)),
                ("documents", [None], _WriteDocuments(*here)),
            )
        ]
        step = written | "nodes and documents" >> beam.Flatten()
        edges = (
            pipeline
            | "pieces of edges" >> beam.Create(_pieces(tables.count("edges")))
            | "spread edges" >> beam.Reshuffle()
            | "read edges" >> beam.FlatMap(_edges, self.folder, names, groups)
        )
        for number, together in enumerate(rounds(groups)):
            step = (
                edges
                | f"edges of round {number}" >> beam.Filter(_is_in, frozenset(together))
                | f"cells of round {number}" >> beam.GroupByKey()
                | f"spread round {number}" >> beam.Reshuffle()
                | f"write round {number}" >> beam.ParDo(_WriteEdges(*here), beam.pvalue.AsIter(step))
            )
        return (
            pipeline
            | "end" >> beam.Create([None])
            | "make sure" >> beam.Map(_make_sure, *here, after=beam.pvalue.AsIter(step))
        )


class _Step(beam.DoFn):
    """A step that talks to the server; the driver lives as long as the worker."""

    def __init__(self, folder: str, uri: str, schema: RelationSchema) -> None:
        self.folder = folder
        self.uri = uri
        self.schema = schema
        self.rows = Metrics.counter("factmill.neo4j", type(self).__name__.removeprefix("_"))

    def setup(self) -> None:
        """Reach the server, or fail with what to do about it."""
        self.server: Server = server_at(self.uri)
        self.tables = GraphTables.open(Path(self.folder))
        self.names = Names.of(self.tables, self.schema)

    def teardown(self) -> None:
        """Leave the server."""
        self.server.driver.close()

    def write_nodes(self, label: str, batches: Iterable[list[Row]], ranges: list[Range] | None) -> Iterator[int]:
        """Write rows of entities or documents with keys in some ranges; None: all; yield how many they are."""
        with explained(self.uri), self.server.session() as session:
            held = existing_nodes(session, label, ranges)
            for rows in batches:
                write_nodes(session, label, held, rows)
                self.rows.inc(len(rows))
                yield len(rows)


class _Begin(_Step):
    def process(self, nothing: None) -> Iterator[int]:
        check_edges(self.tables, self.schema)
        with explained(self.uri), self.server.session() as session:
            begin(session, self.tables, self.schema)
        yield 0


class _WriteNodes(_Step):
    def process(self, piece: Range, after: Iterable[int]) -> Iterator[int]:
        nodes = _Range(self.tables.folder, *piece).batches("nodes")
        yield from self.write_nodes(ENTITY, (node_rows(batch, self.names) for batch in nodes), [piece])


class _WriteDocuments(_Step):
    def process(self, nothing: None, after: Iterable[int]) -> Iterator[int]:
        yield from self.write_nodes(DOCUMENT, map(document_rows, documents(self.tables)), None)


class _WriteEdges(_Step):
    def process(self, cell: tuple[Any, Iterable[Row]], after: Iterable[int]) -> Iterator[int]:
        # Heads beside each other, so that what they hold is read once.
        rows = sorted(cell[1], key=lambda row: (row[0], row[3]))
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            with explained(self.uri), self.server.session() as session:
                held = existing_edges_of(session, sorted({row[0] for row in some}))
                write_edges(self.server, held, some, writers=1)
            self.rows.inc(len(some))
            yield len(some)


@dataclass(frozen=True)
class _Range(GraphTables):
    """The part of the tables whose nodes or edges have ids from `first` up to `last`, which is not among them."""

    first: str
    last: str

    def batches(self, name: str, columns: Sequence[str] | None = None, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        id = pc.field("edge" if name == "evidence" else "id")
        return iter(self.read(name, columns, (id >= self.first) & (id < self.last)).to_batches(rows))


def _pieces(rows: int) -> list[Range]:
    """Return the ranges that so many rows are read in."""
    count = min(_MOST_PIECES, rows // _ROWS_PER_PIECE + 1)
    edges = [f"{position * 65_536 // count:04x}" for position in range(count)]
    return list(zip(edges, [*edges[1:], "g"], strict=True))


def _edges(piece: Range, folder: str, names: Names, groups: int) -> Iterator[tuple[tuple[int, int], Row]]:
    tables = GraphTables.open(Path(folder))
    for table in edges_with_evidence(_Range(tables.folder, *piece)):
        for row in edge_rows(table, names):
            yield cell_of(row[0], row[1], groups), row


def _is_in(edge: tuple[tuple[int, int], Row], cells: frozenset[tuple[int, int]]) -> bool:
    return edge[0] in cells


def _make_sure(nothing: None, folder: str, uri: str, schema: RelationSchema, after: Iterable[int]) -> dict[str, int]:
    return Neo4jWriter().write(GraphTables.open(Path(folder)), uri, schema)
