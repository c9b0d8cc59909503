"""The graph in a Neo4j server: what differs is written, what is too much removed, and then both are counted.

The node `(:FactmillGraph)` says what the database holds. Its `complete` is false from the first change to the last
check, so a graph that is half there never looks whole, and the next run finishes the work. What others put into the
database stays, save for changes of our own nodes and relationships.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import neo4j
import pyarrow.compute as pc
from neo4j.exceptions import IncompleteCommit

from schemas import RelationSchema
from sinks.evidence import edges_with_evidence
from sinks.held import Held, fingerprint
from sinks.neo4j_connection import Server, connected
from sinks.neo4j_statements import (
    DOCUMENTS,
    EDGES,
    GRAPH,
    NODES,
    Batch,
    Row,
    constraints,
    document_rows,
    edge_rows,
    indexes,
    node_rows,
    removals,
)
from sinks.property_graph import (
    DOCUMENT,
    DOCUMENT_PROPERTIES,
    EDGE_PROPERTIES,
    ENTITY,
    ENTITY_PROPERTIES,
    Names,
    check_edges,
    documents,
)
from sinks.rounds import Cell, cell_of, rounds
from sinks.tables import GraphTables
from sinks.writer import ServerWriter, WriteError

# Rows of a table that are compared, and of which what differs is written, at once.
_ROWS = 65_536
# Edges to write at once from which on writers side by side are faster than one. On two cores that the server shares two
# writers gained 15 % at 10,000 and 21 % at 100,000 edges, but lost 7 % at 1,000,000 (`benchmarks/results/neo4j*.md`).
# `Neo4jWriter` writes at most `_ROWS` at once, `pipeline.neo4j.WriteNeo4j` all of a graph.
PARALLEL_FROM = 10_000
_MOST_WRITERS = 8

_PROPERTIES = {ENTITY: ENTITY_PROPERTIES, DOCUMENT: DOCUMENT_PROPERTIES}
_KINDS = {ENTITY: NODES, DOCUMENT: DOCUMENTS}
_EDGES = f"MATCH (h:{ENTITY})-[r]->(t:{ENTITY}) WHERE r.id IS NOT NULL"


class Neo4jWriter(ServerWriter):
    """Brings a graph into a Neo4j server of version 5.26 or newer.

    Args:
        writers: how many write edges side by side; None: as many as pay.
    """

    def __init__(self, writers: int | None = None) -> None:
        self.writers = writers

    def write(self, tables: GraphTables, uri: str, schema: RelationSchema) -> dict[str, int]:
        """Make the server's graph that of the tables; see `ServerWriter.write`."""
        check_edges(tables, schema)
        names = Names.of(tables, schema)
        with connected(uri) as server, server.session() as session:
            begin(session, tables, schema)
            nodes, sources, edges = held_nodes(session, ENTITY), held_nodes(session, DOCUMENT), held_edges(session)
            for batch in tables.batches("nodes", rows=_ROWS):
                write_nodes(session, ENTITY, nodes, node_rows(batch, names))
            for batch in documents(tables, _ROWS):
                write_nodes(session, DOCUMENT, sources, document_rows(batch))
            for table in edges_with_evidence(tables, _ROWS):
                write_edges(server, edges, edge_rows(table, names), self.writers)
            write(session, removals(edges.unseen(), [*nodes.unseen(), *sources.unseen()]))
            return finish(session, tables, schema)


def write_nodes(session: neo4j.Session, label: str, held: Held, rows: Sequence[Row]) -> None:
    """Write those of the rows of entities or documents that differ from what the database holds."""
    properties = _PROPERTIES[label]
    prints = (fingerprint(frozenset({label, row[0]}), dict(zip(properties, row[1:], strict=True))) for row in rows)
    new, changed = _differing(held, rows, (row[1] for row in rows), prints)
    write(session, _KINDS[label].batches(new, changed))


def write_edges(server: Server, held: Held, rows: Sequence[Row], writers: int | None = None) -> None:
    """Write those of the rows of edges that differ from what the database holds.

    New edges are written by several writers, or as many as pay, in rounds in which none of them meets the nodes of
    another.
    """
    keys = ((row[2], row[0], row[1], row[3]) for row in rows)
    prints = (fingerprint(row[2], dict(zip(EDGE_PROPERTIES, row[3:], strict=True))) for row in rows)
    new, changed = _differing(held, rows, keys, prints)
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
    held: Held, rows: Sequence[Row], keys: Iterable[Any], prints: Iterable[int]
) -> tuple[Sequence[Row], list[Row]]:
    """Return the rows that are not there, and those that differ after the ids that the server gave them."""
    if not len(held):
        return rows, []
    new, changed = held.differing(keys, prints)
    return [rows[place] for place in new], [(id, *rows[place]) for place, id in changed]


def groups_for(writers: int) -> int:
    """Return into how many groups nodes fall so that so many writers have a cell each in every round."""
    return 2 * writers if writers > 1 else 1


def paying_writers(rows: int) -> int:
    """Return how many writers side by side are the fastest for so many edges at once, on this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WRITERS) if rows >= PARALLEL_FROM else 1


def begin(session: neo4j.Session, tables: GraphTables, schema: RelationSchema) -> None:
    """Make the constraints, and say that the graph is not complete from now on.

    Raises:
        WriteError: the database holds nodes with our labels that are not ours.
    """
    if not _value(session, f"MATCH (g:{GRAPH}) RETURN count(g)"):
        for label in (ENTITY, DOCUMENT):
            if _value(session, f"MATCH (n:{label}) RETURN count(n)"):
                raise WriteError(
                    f"the database holds ':{label}' nodes of another program, which would be mixed up with ours: name "
                    f"another database in NEO4J_DATABASE, or another server"
                )
    # Statements about the schema stand in transactions of their own.
    for statement in (*constraints(), *_indexes(tables)[0]):
        session.run(statement).consume()
    write(session, [Batch(_state(False), [{"schema": schema.name}])])


def finish(session: neo4j.Session, tables: GraphTables, schema: RelationSchema) -> dict[str, int]:
    """Make the indexes, count what the server holds, and say that it is complete.

    Raises:
        WriteError: the counts are not those of the tables.
    """
    for statement in _indexes(tables)[1]:
        session.run(statement).consume()
    counts = {}
    held = {
        "nodes": f"MATCH (n:{ENTITY}) WHERE n.id IS NOT NULL",
        "edges": _EDGES,
        "documents": f"MATCH (n:{DOCUMENT}) WHERE n.key IS NOT NULL",
    }
    for name, pattern in held.items():
        counts[name] = _value(session, f"{pattern} RETURN count(*)")
        if counts[name] != tables.count(name):
            raise WriteError(
                f"Neo4j holds {counts[name]:,} of {tables.count(name):,} {name}: does another program write to it? "
                f"Give the same command again"
            )
    write(session, [Batch(_state(True), [{"schema": schema.name, **counts}])])
    return counts


def write(session: neo4j.Session, batches: Iterable[Batch]) -> None:
    """Write batches, one managed transaction each; a transient error makes the driver try again with growing pauses."""
    for batch in batches:
        try:
            session.execute_write(_say, [batch])
        except IncompleteCommit:  # the server went away before it said whether it is written
            session.execute_write(_say, batch.merging())


def _say(transaction: neo4j.ManagedTransaction, batches: list[Batch]) -> None:
    for batch in batches:
        transaction.run(batch.statement, rows=batch.rows).consume()


def _value(session: neo4j.Session, query: str) -> int:
    def read(transaction: neo4j.ManagedTransaction) -> int:
        number: int = transaction.run(query).single(strict=True).value()
        return number

    return session.execute_read(read)


def _state(complete: bool) -> str:
    return f"UNWIND $rows AS row MERGE (g:{GRAPH} {{id: 'graph'}}) SET g += row, g.complete = {str(complete).lower()}"


def _indexes(tables: GraphTables) -> tuple[list[str], list[str]]:
    columns = ((ENTITY, "nodes", "name"), (DOCUMENT, "documents", "id"))
    return indexes({(label, column): _longest(tables, table, column) for label, table, column in columns})


def _longest(tables: GraphTables, table: str, column: str) -> int:
    sizes = (pc.max(pc.binary_length(batch.column(column))).as_py() for batch in tables.batches(table, (column,)))
    return max((size or 0 for size in sizes), default=0)


def held_nodes(session: neo4j.Session, label: str, keys: Sequence[str] | None = None) -> Held:
    """Return the entities or documents that the database holds, all or those with some keys."""
    key = _PROPERTIES[label][0]
    among = "IS NOT NULL" if keys is None else "IN $keys"
    query = f"MATCH (n:{label}) WHERE n.{key} {among} RETURN elementId(n), labels(n), properties(n)"

    def elements(result: neo4j.Result) -> Iterator[tuple[Any, int, str]]:
        for element, labels, properties in result:
            yield properties[key], fingerprint(frozenset(labels), properties), element

    return session.execute_read(lambda transaction: Held(elements(transaction.run(query, keys=keys))))


def held_edges(session: neo4j.Session, heads: Sequence[str] | None = None) -> Held:
    """Return the edges that the database holds, all or those of some heads."""
    among = "" if heads is None else " AND h.id IN $heads"
    query = f"{_EDGES}{among} RETURN elementId(r), type(r), h.id, t.id, properties(r)"

    def elements(result: neo4j.Result) -> Iterator[tuple[Any, int, str]]:
        for element, type, head, tail, edge in result:
            yield (type, head, tail, edge["id"]), fingerprint(type, edge), element

    return session.execute_read(lambda transaction: Held(elements(transaction.run(query, heads=heads))))
