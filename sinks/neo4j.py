"""The graph in a Neo4j server: what differs is written, what is too much removed, and then both are counted.

The node `(:FactmillGraph)` says what the database holds. Its `complete` is false from the first change to the last
check, so a graph that is half there never looks whole, and the next run finishes the work. What others put into the
database stays, save for changes of our own nodes and relationships.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from typing import Any

import neo4j
import pyarrow.compute as pc

from schemas import RelationSchema
from sinks.evidence import edges_with_evidence
from sinks.held import Held, fingerprint
from sinks.neo4j_connection import Server, connected
from sinks.neo4j_statements import (
    GRAPH,
    Batch,
    Row,
    constraints,
    document_batches,
    edge_batches,
    indexes,
    node_batches,
    removal_batches,
    transactions,
)
from sinks.property_graph import DOCUMENT, EDGE_PROPERTIES, ENTITY, Names, check_edges, documents
from sinks.rounds import Cell, cell_of, rounds
from sinks.tables import GraphTables
from sinks.writer import ServerWriter, WriteError

# Rows of a table that are compared, and of which what differs is written, at once.
_ROWS = 65_536
# Rows that differ, of one piece of a table, from which on writers side by side are faster than one.
_PARALLEL_FROM = 20_000
_MOST_WRITERS = 8

_NODES = f"MATCH (n:{ENTITY}) WHERE n.id IS NOT NULL RETURN elementId(n), labels(n), properties(n)"
_DOCUMENTS = f"MATCH (n:{DOCUMENT}) WHERE n.key IS NOT NULL RETURN elementId(n), labels(n), properties(n)"
_EDGES = (
    f"MATCH (h:{ENTITY})-[r]->(t:{ENTITY}) WHERE r.id IS NOT NULL "
    "RETURN elementId(r), type(r), h.id, t.id, properties(r)"
)


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
            strangers: set[str] = set()
            nodes = _held_nodes(session, _NODES, "id", strangers)
            sources = _held_nodes(session, _DOCUMENTS, "key", strangers)
            edges = _held_edges(session)
            kinds = {type: frozenset({ENTITY, label}) for type, label in names.labels.items()}
            for batch in tables.batches("nodes", rows=_ROWS):
                rows = _differing(nodes, batch.to_pylist(), "id", lambda row: kinds[row["type"]])
                write(session, transactions(node_batches(rows, names, strangers if len(nodes) else ())))
            for batch in documents(tables, _ROWS):
                rows = _differing(sources, batch.to_pylist(), "key", lambda row: frozenset({DOCUMENT}))
                write(session, transactions(document_batches(rows, strangers if len(sources) else ())))
            for table in edges_with_evidence(tables, _ROWS):
                rows = _differing_edges(edges, table.to_pylist(), names)
                write_edges(server, rows, names, self.writers or paying_writers(len(rows)))
            write(session, transactions(removal_batches(edges.unseen(), [*nodes.unseen(), *sources.unseen()])))
            return finish(session, tables, schema)


def write_edges(server: Server, rows: list[Row], names: Names, writers: int) -> None:
    """Write edges; several writers work in rounds in which none of them meets the nodes of another."""
    cells: defaultdict[Cell, list[Row]] = defaultdict(list)
    groups = groups_for(writers)
    for row in rows:
        cells[cell_of(row["head"], row["tail"], groups)].append(row)

    def write_cell(cell: Cell) -> None:
        with server.session() as session:
            write(session, transactions(edge_batches(cells[cell], names)))

    with ThreadPoolExecutor(writers) as pool:
        for together in rounds(groups):
            list(pool.map(write_cell, (cell for cell in together if cell in cells)))


def groups_for(writers: int) -> int:
    """Return into how many groups nodes fall so that so many writers have a cell each in every round."""
    return 2 * writers if writers > 1 else 1


def paying_writers(rows: int) -> int:
    """Return how many writers side by side are the fastest for so many edges at once, on this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WRITERS) if rows >= _PARALLEL_FROM else 1


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
    write(session, [[Batch(_state(False), [{"schema": schema.name}])]])


def finish(session: neo4j.Session, tables: GraphTables, schema: RelationSchema) -> dict[str, int]:
    """Make the indexes, count what the server holds, and say that it is complete.

    Raises:
        WriteError: the counts are not those of the tables.
    """
    for statement in _indexes(tables)[1]:
        session.run(statement).consume()
    counts = {}
    for name, query in (("nodes", _NODES), ("edges", _EDGES), ("documents", _DOCUMENTS)):
        counts[name] = _value(session, f"{query.partition(' RETURN ')[0]} RETURN count(*)")
        if counts[name] != tables.count(name):
            raise WriteError(
                f"Neo4j holds {counts[name]:,} of {tables.count(name):,} {name}: does another program write to it? "
                f"Give the same command again"
            )
    write(session, [[Batch(_state(True), [{"schema": schema.name, **counts}])]])
    return counts


def write(session: neo4j.Session, work: Iterable[list[Batch]]) -> None:
    """Write batches, one managed transaction each; a transient error makes the driver try again with growing pauses."""
    for together in work:
        session.execute_write(_say, together)


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


def _held_nodes(session: neo4j.Session, query: str, key: str, strangers: set[str]) -> Held:
    def read(transaction: neo4j.ManagedTransaction) -> Held:
        return Held(elements(transaction))

    def elements(transaction: neo4j.ManagedTransaction) -> Iterator[tuple[Any, int, str]]:
        for element, labels, properties in transaction.run(query):
            strangers.update(labels)
            yield properties[key], fingerprint(frozenset(labels), properties), element

    return session.execute_read(read)


def _held_edges(session: neo4j.Session) -> Held:
    def read(transaction: neo4j.ManagedTransaction) -> Held:
        return Held(
            ((type, head, tail, edge["id"]), fingerprint(type, edge), element)
            for element, type, head, tail, edge in transaction.run(_EDGES)
        )

    return session.execute_read(read)


def _differing(held: Held, rows: list[Row], key: str, kind: Callable[[Row], Any]) -> list[Row]:
    if not len(held):
        return rows
    return list(
        compress(rows, held.differing([row[key] for row in rows], [fingerprint(kind(row), row) for row in rows]))
    )


def _differing_edges(held: Held, rows: list[Row], names: Names) -> list[Row]:
    if not len(held):
        return rows
    keys = [(names.types[row["relation"]], row["head"], row["tail"], row["id"]) for row in rows]
    prints = [
        fingerprint(key[0], {name: row[name] for name in EDGE_PROPERTIES}) for key, row in zip(keys, rows, strict=True)
    ]
    return list(compress(rows, held.differing(keys, prints)))
