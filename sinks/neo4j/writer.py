"""Brings a graph into a Neo4j server: writes what differs, removes what is obsolete, then counts.

Parts whose digests equal those of the last export are not read back, so a small change is little work. Without digests,
for example after an interruption, everything is compared. Nodes and relationships of other programs stay; changes that
others made to ours are reverted when these are compared again.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import neo4j
import pyarrow as pa
from neo4j.exceptions import IncompleteCommit

from schemas import RelationSchema
from sinks.labels import DOCUMENT, ENTITY
from sinks.neo4j.connection import Server, connected
from sinks.neo4j.digests import Buckets, Range
from sinks.neo4j.existing import ExistingElements, fingerprint
from sinks.neo4j.schedule import Cell, cell_of, rounds
from sinks.neo4j.state import OUR_EDGES, MiscountError, begin, digests_of, finish
from sinks.neo4j.statements import DOCUMENTS, EDGES, NODES, Batch, Row, document_rows, edge_rows, node_rows, removals
from sinks.property_graph import DOCUMENT_PROPERTIES, EDGE_PROPERTIES, ENTITY_PROPERTIES, Names, check_edges, documents
from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables
from sinks.writer import ServerWriter

# Rows of a table that are compared and written in one step.
_ROWS = 65_536
# Number of edges from which on parallel writers are faster than one. On two cores that the server shares two
# writers gained 15 % at 10,000 and 21 % at 100,000 edges, but lost 7 % at 1,000,000 (`benchmarks/results/neo4j*.md`).
# `Neo4jWriter` writes at most `_ROWS` at once.
PARALLEL_FROM = 10_000
_MOST_WRITERS = 8

_PROPERTIES = {ENTITY: ENTITY_PROPERTIES, DOCUMENT: DOCUMENT_PROPERTIES}
_KINDS = {ENTITY: NODES, DOCUMENT: DOCUMENTS}

_Rows = TypeVar("_Rows", pa.RecordBatch, pa.Table)


class Neo4jWriter(ServerWriter):
    """Brings a graph into a Neo4j server of version 5.26 or newer.

    Args:
        writers: how many write edges in parallel; None: as many as are useful.
        compare_all: read the whole graph of the server, not only where the tables differ from the last export.
    """

    def __init__(self, writers: int | None = None, compare_all: bool = False) -> None:
        super().__init__(compare_all)
        self.writers = writers

    def write(self, tables: GraphTables, uri: str, schema: RelationSchema) -> dict[str, int]:
        """Make the server's graph that of the tables; see `ServerWriter.write`."""
        check_edges(tables, schema)
        names = Names.of(tables, schema)
        with connected(uri) as server, server.session() as session:
            digests = digests_of(tables, names)
            run = begin(session, tables, schema)
            if run.last and not self.compare_all:
                changed = {name: digest.differing(run.last[name]) for name, digest in digests.items()}
                self._bring(server, session, tables, names, changed)
                with suppress(MiscountError):  # others changed the graph meanwhile
                    return finish(session, tables, schema, run, digests)
            self._bring(server, session, tables, names, dict.fromkeys(digests))
            return finish(session, tables, schema, run, digests)

    def _bring(
        self,
        server: Server,
        session: neo4j.Session,
        tables: GraphTables,
        names: Names,
        among: Mapping[str, Buckets | None],
    ) -> None:
        """Write and remove what differs within some buckets of nodes, documents and edges; None: everywhere."""
        nodes = existing_nodes(session, ENTITY, _ranges(among["nodes"]))
        sources = existing_nodes(session, DOCUMENT, _ranges(among["documents"]))
        edges = existing_edges(session, among["heads"], among["edges"])
        for batch in _rows(tables.batches("nodes", rows=_ROWS), "id", among["nodes"]):
            write_nodes(session, ENTITY, nodes, node_rows(batch, names))
        for batch in _rows(documents(tables, _ROWS), "key", among["documents"]):
            write_nodes(session, DOCUMENT, sources, document_rows(batch))
        changed = _rows(edges_with_evidence(tables, _ROWS), "id", among["edges"])
        for table in _rows(changed, "head", among["heads"]):
            write_edges(server, edges, edge_rows(table, names), self.writers)
        write(session, removals(edges.unseen(), [*nodes.unseen(), *sources.unseen()]))


def _ranges(buckets: Buckets | None) -> list[tuple[str, str]] | None:
    return None if buckets is None else buckets.ranges()


def _rows(batches: Iterator[_Rows], id: str, buckets: Buckets | None) -> Iterator[_Rows]:
    """Yield the rows whose `id` belongs to some buckets; None: all."""
    if buckets is None:
        yield from batches
    elif len(buckets):
        for batch in batches:
            some = batch.filter(buckets.hold(batch.column(id)))
            if len(some):
                yield some


def write_nodes(session: neo4j.Session, label: str, existing: ExistingElements, rows: Sequence[Row]) -> None:
    """Write the rows of entities or documents that differ from the database."""
    properties = _PROPERTIES[label]
    prints = (fingerprint(frozenset({label, row[0]}), dict(zip(properties, row[1:], strict=True))) for row in rows)
    new, changed = _differing(existing, rows, (row[1] for row in rows), prints)
    write(session, _KINDS[label].batches(new, changed))


def write_edges(server: Server, existing: ExistingElements, rows: Sequence[Row], writers: int | None = None) -> None:
    """Write the rows of edges that differ from the database.

    Several writers write new edges in rounds in which no two of them share a node.
    """
    keys = ((row[2], row[0], row[1], row[3]) for row in rows)
    prints = (fingerprint(row[2], dict(zip(EDGE_PROPERTIES, row[3:], strict=True))) for row in rows)
    new, changed = _differing(existing, rows, keys, prints)
    writers = writers or paying_writers(len(new))
    groups = groups_for(writers)
    cells: defaultdict[Cell, list[Row]] = defaultdict(list)
    for row in new:
        cells[cell_of(row[0], row[1], groups)].append(row)

    def write_cell(cell: Cell) -> None:
        with server.session() as session:
            write(session, EDGES.batches(cells[cell], ()))

    with ThreadPoolExecutor(writers) as pool:
        for together in rounds(groups):
            list(pool.map(write_cell, (cell for cell in together if cell in cells)))
    with server.session() as session:
        write(session, EDGES.batches((), changed))


def _differing(
    existing: ExistingElements, rows: Sequence[Row], keys: Iterable[Any], prints: Iterable[int]
) -> tuple[Sequence[Row], list[Row]]:
    """Return the missing rows, and the rows that differ, each preceded by the id that the server assigned."""
    if not len(existing):
        return rows, []
    new, changed = existing.differing(keys, prints)
    return [rows[place] for place in new], [(id, *rows[place]) for place, id in changed]


def groups_for(writers: int) -> int:
    """Return the number of groups of nodes with which every round has a cell for each writer."""
    return 2 * writers if writers > 1 else 1


def paying_writers(rows: int) -> int:
    """Return how many parallel writers are the fastest on this machine for a number of edges."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WRITERS) if rows >= PARALLEL_FROM else 1


def write(session: neo4j.Session, batches: Iterable[Batch]) -> None:
    """Write batches, one managed transaction each; the driver retries transient errors with growing pauses."""
    for batch in batches:
        try:
            session.execute_write(_say, [batch])
        except IncompleteCommit:  # the connection broke before the server confirmed the commit
            session.execute_write(_say, batch.merging())


def _say(transaction: neo4j.ManagedTransaction, batches: list[Batch]) -> None:
    for batch in batches:
        transaction.run(batch.statement, rows=batch.rows).consume()


def existing_nodes(session: neo4j.Session, label: str, ranges: Sequence[Range] | None = None) -> ExistingElements:
    """Return the entities or documents in the database: all, or those with keys in some ranges."""
    key = _PROPERTIES[label][0]
    unwind, among = _within(f"n.{key}", ranges)
    query = f"{unwind} MATCH (n:{label}) WHERE {among} RETURN elementId(n), labels(n), properties(n)"

    def elements(result: neo4j.Result) -> Iterator[tuple[Any, int, str]]:
        for element, labels, properties in result:
            yield properties[key], fingerprint(frozenset(labels), properties), element

    return session.execute_read(lambda transaction: ExistingElements(elements(transaction.run(query, ranges=ranges))))


def existing_edges(session: neo4j.Session, heads: Buckets | None, ids: Buckets | None) -> ExistingElements:
    """Return the edges in the database: all, or those in some buckets of heads and of their own ids."""
    if heads is None or ids is None:
        return _existing_edges(session, OUR_EDGES)
    prefixes = ids.prefixes()
    digits = len(prefixes[0]) if prefixes else 0
    ranges = heads.ranges()
    unwind, among = _within("h.id", ranges)
    query = f"{unwind} {OUR_EDGES} AND {among} AND left(toStringOrNull(r.id), $digits) IN $prefixes"
    return _existing_edges(session, query, ranges=ranges, digits=digits, prefixes=prefixes)


def existing_edges_of(session: neo4j.Session, heads: Sequence[str]) -> ExistingElements:
    """Return the edges of some heads in the database."""
    return _existing_edges(session, f"{OUR_EDGES} AND h.id IN $heads", heads=heads)


def _existing_edges(session: neo4j.Session, query: str, **parameters: Any) -> ExistingElements:
    def elements(result: neo4j.Result) -> Iterator[tuple[Any, int, str]]:
        for element, type, head, tail, edge in result:
            yield (type, head, tail, edge["id"]), fingerprint(type, edge), element

    query = f"{query} RETURN elementId(r), type(r), h.id, t.id, properties(r)"
    return session.execute_read(lambda transaction: ExistingElements(elements(transaction.run(query, parameters))))


def _within(key: str, ranges: Sequence[Range] | None) -> tuple[str, str]:
    """Return the beginning of a query for keys in some ranges, and its condition."""
    if ranges is None:
        return "", f"{key} IS NOT NULL"
    return "UNWIND $ranges AS range", f"range[0] <= {key} < range[1]"
