"""Cypher statements for Neo4j: missing elements are created, different ones are set, and every statement is idempotent.

`CREATE` is several times as fast as `MERGE`, which looks at all relationships of a node, and safe when the content of
the database is known; if a commit may have succeeded unnoticed, `MERGE` is used for the retry. Values are parameters,
and rows are lists, since property names sent with every value cost as much as the values. Labels and types come from
the rows too: planning a statement for each of them takes longer than a thousand rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sinks.labels import DOCUMENT, ENTITY
from sinks.property_graph import DOCUMENT_PROPERTIES, EDGE_PROPERTIES, ENTITY_PROPERTIES, Names

# The node that describes the content of the database and whether it is complete.
GRAPH = "FactmillGraph"
# Rows of a transaction at most.
ROWS = 10_000
# Rows that one MERGE statement writes; it is slow with more.
_MERGED_ROWS = 1_000
# Bytes of the longest value that an index of Neo4j accepts.
_INDEXED = 8_000

Row = Sequence[Any]


@dataclass(frozen=True)
class Batch:
    """One statement and its rows.

    Attributes:
        merge: the statement for a retry when this one may have been executed already; None: the same statement.
    """

    statement: str
    rows: Sequence[Any]
    merge: str | None = None

    def merging(self) -> list[Batch]:
        """Return the batches for a retry when it is unknown whether this one was executed."""
        if self.merge is None:
            return [self]
        pieces = range(0, len(self.rows), _MERGED_ROWS)
        return [Batch(self.merge, self.rows[start : start + _MERGED_ROWS]) for start in pieces]


@dataclass(frozen=True)
class Kind:
    """The statements that write elements of one kind.

    Attributes:
        create: writes missing rows.
        merge: writes rows that may exist.
        change: changes existing rows, each preceded by the id that the server assigned.
    """

    create: str
    merge: str
    change: str

    def batches(self, new: Sequence[Row], changed: Sequence[Row]) -> Iterator[Batch]:
        """Yield the batches that create new rows and change existing ones."""
        yield from _cut(self.create, new, self.merge)
        yield from _cut(self.change, changed)


def _properties(names: Sequence[str], first: int) -> str:
    return "{" + ", ".join(f"{name}: row[{first + place}]" for place, name in enumerate(names)) + "}"


def _nodes(label: str, properties: Sequence[str]) -> Kind:
    """Return the statements for nodes with a label; a row is the second label and the properties, the key first."""
    return Kind(
        f"UNWIND $rows AS row CREATE (n:{label} {_properties(properties, 1)}) SET n:$(row[0])",
        f"UNWIND $rows AS row MERGE (n:{label} {{{properties[0]}: row[1]}}) "
        f"SET n:$(row[0]), n = {_properties(properties, 1)}",
        "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row[0] "
        f"REMOVE n:$([label IN labels(n) WHERE label <> '{label}']) "
        f"SET n:{label}:$(row[1]), n = {_properties(properties, 2)}",
    )


NODES = _nodes(ENTITY, ENTITY_PROPERTIES)
DOCUMENTS = _nodes(DOCUMENT, DOCUMENT_PROPERTIES)

_ENDS = f"UNWIND $rows AS row MATCH (h:{ENTITY} {{id: row[0]}}) MATCH (t:{ENTITY} {{id: row[1]}})"
# A row is head, tail, type and the properties; both ends must exist.
EDGES = Kind(
    f"{_ENDS} CREATE (h)-[:$(row[2]) {_properties(EDGE_PROPERTIES, 3)}]->(t)",
    f"{_ENDS} MERGE (h)-[r:$(row[2]) {{id: row[3]}}]->(t) SET r = {_properties(EDGE_PROPERTIES, 3)}",
    f"UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row[0] SET r = {_properties(EDGE_PROPERTIES, 4)}",
)


def node_rows(nodes: pa.RecordBatch, names: Names) -> list[Row]:
    """Return the rows of nodes."""
    labels = [names.labels[type] for type in nodes.column("type").to_pylist()]
    return list(zip(labels, *_values(nodes, ENTITY_PROPERTIES), strict=True))


def document_rows(documents: pa.RecordBatch) -> list[Row]:
    """Return the rows of documents."""
    return list(zip([DOCUMENT] * len(documents), *_values(documents, DOCUMENT_PROPERTIES), strict=True))


def edge_rows(edges: pa.Table, names: Names) -> list[Row]:
    """Return the rows of edges with their evidence."""
    types = [names.types[relation] for relation in edges["relation"].to_pylist()]
    return list(zip(*_values(edges, ("head", "tail")), types, *_values(edges, EDGE_PROPERTIES), strict=True))


def _values(table: pa.Table | pa.RecordBatch, names: Sequence[str]) -> list[list[Any]]:
    return [table.column(name).to_pylist() for name in names]


def removals(relationships: Sequence[str], nodes: Sequence[str]) -> Iterator[Batch]:
    """Yield the batches that remove elements by the ids that the server assigned."""
    yield from _cut("UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row DELETE r", relationships)
    yield from _cut("UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row DETACH DELETE n", nodes)


def constraints() -> list[str]:
    """Return the statements that create the constraints, before the first row."""
    return [
        f"CREATE CONSTRAINT factmill_{label.lower()} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
        for label, key in ((ENTITY, "id"), (DOCUMENT, "key"), (GRAPH, "id"))
    ]


def indexes(longest: Mapping[tuple[str, str], int]) -> tuple[list[str], list[str]]:
    """Return the statements that drop indexes before the first row, and those that create indexes after the last.

    Args:
        longest: bytes of the longest text of every (label, property) to index; Neo4j refuses rows with longer ones
            than it can index, so such a property has no index.
    """
    drop, make = [], []
    for (label, name), size in longest.items():
        index = f"factmill_{label.lower()}_{name}"
        if size > _INDEXED:
            drop.append(f"DROP INDEX {index} IF EXISTS")
        else:
            make.append(f"CREATE INDEX {index} IF NOT EXISTS FOR (n:{label}) ON (n.{name})")
    return drop, [*make, "CALL db.awaitIndexes(3600)"]


def _cut(statement: str, rows: Sequence[Any], merge: str | None = None) -> Iterator[Batch]:
    for start in range(0, len(rows), ROWS):
        yield Batch(statement, rows[start : start + ROWS], merge)
