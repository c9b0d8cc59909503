"""The state of the graph in a database: whether it is complete, its counts, and the digests of its elements.

The node `(:FactmillGraph)` is not `complete` from the first change to the last check, so a partial graph never looks
complete. A complete graph has the node `(:FactmillDigests)`, with which the next run finds where the tables differ from
what was written, so that it need not read everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import neo4j
import pyarrow as pa
import pyarrow.compute as pc
from neo4j.exceptions import IncompleteCommit

from schemas import RelationSchema, content_hash
from sinks.labels import DOCUMENT, ENTITY
from sinks.neo4j.digests import Digests, hashes
from sinks.neo4j.statements import GRAPH, constraints, indexes
from sinks.property_graph import DOCUMENT_PROPERTIES, EDGE_PROPERTIES, ENTITY_PROPERTIES, Names, documents
from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables
from sinks.writer import WriteError

DIGESTS = "FactmillDigests"
# All relationships that factmill wrote.
OUR_EDGES = f"MATCH (h:{ENTITY})-[r]->(t:{ENTITY}) WHERE r.id IS NOT NULL"
_PATTERNS = {
    "nodes": f"MATCH (n:{ENTITY}) WHERE n.id IS NOT NULL",
    "edges": OUR_EDGES,
    "documents": f"MATCH (n:{DOCUMENT}) WHERE n.key IS NOT NULL",
}
# Identifies what is hashed and how; digests of another form are not comparable.
_FORM = content_hash("1", *map(" ".join, (ENTITY_PROPERTIES, DOCUMENT_PROPERTIES, EDGE_PROPERTIES)))
_STATE = f"""
MATCH (g:{GRAPH} {{id: 'graph'}}) WHERE $run IS NULL OR g.run = $run
SET g = $state, g.id = 'graph' RETURN g.id"""

_T = TypeVar("_T")
# Digests of `nodes`, `documents`, `edges`, and `heads`: edges by head, which is how the server finds them.
GraphDigests = Mapping[str, Digests]


class MiscountError(WriteError):
    """The database and the tables differ in the number of elements."""


@dataclass(frozen=True)
class Run:
    """One run of a writer.

    Attributes:
        id: identifies the run.
        last: the digests of the database when the run began; None if unknown.
    """

    id: str
    last: GraphDigests | None


def digests_of(tables: GraphTables, names: Names) -> GraphDigests:
    """Return the digests that the database will have.

    Raises:
        TableError: evidence belongs to no edge.
    """
    nodes, edges, sources = map(tables.count, ("nodes", "edges", "documents"))
    sizes = {"nodes": nodes, "heads": nodes, "edges": edges // 4, "documents": sources}
    found = {name: Digests(size) for name, size in sizes.items()}
    for batch in tables.batches("nodes"):
        labels = pa.array([names.labels[type] for type in batch.column("type").to_pylist()], pa.string())
        found["nodes"].add(batch.column("id"), hashes([labels, *map(batch.column, ENTITY_PROPERTIES)]))
    for batch in documents(tables):
        found["documents"].add(batch.column("key"), hashes([*map(batch.column, DOCUMENT_PROPERTIES)]))
    for table in edges_with_evidence(tables):
        types = pa.array([names.types[relation] for relation in table["relation"].to_pylist()], pa.string())
        rows = hashes([types, *map(table.column, ("head", "tail", *EDGE_PROPERTIES))])
        found["edges"].add(table["id"], rows)
        found["heads"].add(table["head"], rows)
    return found


def begin(session: neo4j.Session, tables: GraphTables, schema: RelationSchema) -> Run:
    """Create the constraints and mark the graph as incomplete.

    Raises:
        WriteError: the database has nodes with factmill's labels that factmill did not write.
    """
    if not _count(session, f"MATCH (g:{GRAPH})"):
        for label in (ENTITY, DOCUMENT):
            if _count(session, f"MATCH (n:{label})"):
                raise WriteError(
                    f"the database holds ':{label}' nodes of another program, which would be mixed up with ours: name "
                    f"another database in NEO4J_DATABASE, or another server"
                )
    # Schema statements need transactions of their own.
    for statement in (*constraints(), *_indexes(tables)[0]):
        session.run(statement).consume()
    run = uuid4().hex
    return Run(run, _write_twice(session, _begin, {"schema": schema.name, "run": run, "complete": False}))


def _begin(transaction: neo4j.ManagedTransaction, state: dict[str, Any]) -> GraphDigests | None:
    # Setting a property locks the node, so of two runs that begin at the same time one finds it incomplete.
    lock = f"MERGE (g:{GRAPH} {{id: 'graph'}}) SET g.id = 'graph' RETURN properties(g)"
    before = transaction.run(lock).single(strict=True).value()
    digests = transaction.run(f"MATCH (d:{DIGESTS}) WITH d, properties(d) AS kept DELETE d RETURN kept").value()
    transaction.run(_STATE, run=before.get("run"), state=state).consume()
    wanted = {"form": _FORM, "run": before.get("run")}
    for kept in digests if before.get("complete") and before.get("schema") == state["schema"] else ():
        if wanted.items() <= kept.items():
            return {name: Digests.from_bytes(kept[name]) for name in ("nodes", "documents", "edges", "heads")}
    return None


def finish(
    session: neo4j.Session, tables: GraphTables, schema: RelationSchema, run: Run, digests: GraphDigests
) -> dict[str, int]:
    """Create the indexes, count the elements, and mark the graph as complete.

    Raises:
        MiscountError: the counts differ from those of the tables.
        WriteError: another run began in the meantime, so the database may hold a mixture of both.
    """
    for statement in _indexes(tables)[1]:
        session.run(statement).consume()
    counts = {}
    for name, pattern in _PATTERNS.items():
        counts[name] = _count(session, pattern)
        if counts[name] != tables.count(name):
            raise MiscountError(
                f"Neo4j holds {counts[name]:,} of {tables.count(name):,} {name}: does another program write to it? "
                f"Give the same command again"
            )
    state = {"schema": schema.name, "run": run.id, "complete": True, **counts}
    if not _write_twice(session, _finish, state, {name: bytes(digest) for name, digest in digests.items()}):
        raise WriteError(
            "another export wrote to the same database at the same time: give the same command again when it has ended"
        )
    return counts


def _finish(transaction: neo4j.ManagedTransaction, state: dict[str, Any], digests: dict[str, bytes]) -> bool:
    transaction.run(f"MATCH (d:{DIGESTS}) DELETE d").consume()
    if not transaction.run(_STATE, run=state["run"], state=state).value():
        # The other run must not mark the graph as complete either.
        transaction.run(f"MATCH (g:{GRAPH} {{id: 'graph'}}) SET g.complete = false REMOVE g.run").consume()
        return False
    kept = {"form": _FORM, "run": state["run"], **digests}
    transaction.run(f"CREATE (d:{DIGESTS}) SET d = $kept", kept=kept).consume()
    return True


def _write_twice(session: neo4j.Session, work: Callable[..., _T], *arguments: Any) -> _T:
    try:
        return session.execute_write(work, *arguments)
    except (
        IncompleteCommit
    ):  # the connection broke before the server confirmed the commit; both functions are idempotent
        return session.execute_write(work, *arguments)


def _count(session: neo4j.Session, pattern: str) -> int:
    def read(transaction: neo4j.ManagedTransaction) -> int:
        number: int = transaction.run(f"{pattern} RETURN count(*)").single(strict=True).value()
        return number

    return session.execute_read(read)


def _indexes(tables: GraphTables) -> tuple[list[str], list[str]]:
    columns = ((ENTITY, "nodes", "name"), (DOCUMENT, "documents", "id"))
    return indexes({(label, column): _longest(tables, table, column) for label, table, column in columns})


def _longest(tables: GraphTables, table: str, column: str) -> int:
    sizes = (pc.max(pc.binary_length(batch.column(column))).as_py() for batch in tables.batches(table, (column,)))
    return max((size or 0 for size in sizes), default=0)
