"""The property graph in Neo4j and in the embedded database: its labels, relationship types and properties.

| what | label or type | properties |
|---|---|---|
| a node | a label for its type; in Neo4j also `Entity` | `ENTITY_PROPERTIES` |
| a document | `Document` | `DOCUMENT_PROPERTIES` |
| an edge | a relationship type for its relation, in UPPER_SNAKE | `EDGE_PROPERTIES` |

Every relationship is an edge. Its properties `documents` and `evidence` are lists; the documents are nodes without
relationships, found by their `id`. An id may be longer than what a database can index, so documents also have a `key`
of fixed length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from schemas import TABLES, RelationSchema, content_hash
from sinks.labels import DOCUMENT, ENTITY
from sinks.tables.tables import GraphTables, TableError
from sinks.writer import relation_of

ENTITY_PROPERTIES = tuple(TABLES["nodes"].names)
DOCUMENT_PROPERTIES = ("key", "id", "source", "title", "tokens", "sentences", "entities", "facts", "version")
EDGE_PROPERTIES = (
    *(name for name in TABLES["edges"].names if name not in {"head", "relation", "tail"}),
    "documents",
    "evidence",
)


@dataclass(frozen=True)
class Names:
    """The labels and relationship types of one graph.

    Attributes:
        labels: the label of every entity type of the schema and of the nodes.
        types: the relationship type of every relation id of the schema.
    """

    labels: Mapping[str, str]
    types: Mapping[str, str]

    @classmethod
    def of(cls, tables: GraphTables, schema: RelationSchema) -> Names:
        """Read the entity types of all nodes and assign the names."""
        found: set[str] = set()
        for batch in tables.batches("nodes", ("type",)):
            found.update(pa.array(batch.column("type")).unique().to_pylist())
        labels: dict[str, str] = {}
        spelled: dict[str, str] = {}
        for type in (*schema.entity_types, *sorted(found)):
            label = node_label(type)
            # The embedded database ignores case: types that differ only in case share a label.
            labels[type] = spelled.setdefault(label.casefold(), label)
        return cls(labels, relationship_types(schema, tuple(spelled.values())))


def node_label(type: str) -> str:
    """Return the label of an entity type: its letters, digits and `_`; a `_` at the end avoids reserved labels."""
    label = re.sub(r"\W+", "_", type).strip("_") or ENTITY
    return label + "_" * (label.casefold() in {ENTITY.casefold(), DOCUMENT.casefold()})


def relationship_types(schema: RelationSchema, labels: tuple[str, ...]) -> dict[str, str]:
    """Return the relationship type of every relation id; a `_` at the end avoids names of labels.

    In the embedded database labels and types share one namespace.
    """
    taken = {label.casefold() for label in (*labels, ENTITY, DOCUMENT)}
    return {
        relation.id: relation.cypher_type + "_" * (relation.cypher_type.casefold() in taken)
        for relation in schema.relations
    }


def quoted(name: str) -> str:
    """Return a label or type quoted for a Cypher statement, where it cannot be a parameter."""
    return f"`{name.replace('`', '``')}`"


def documents(tables: GraphTables, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Yield the documents with `DOCUMENT_PROPERTIES` as columns."""
    for batch in tables.batches("documents", DOCUMENT_PROPERTIES[1:], rows):
        keys = pa.array([content_hash(id) for id in batch.column("id").to_pylist()], pa.string())
        yield pa.RecordBatch.from_arrays([keys, *batch.columns], names=list(DOCUMENT_PROPERTIES))


def check_edges(tables: GraphTables, schema: RelationSchema) -> None:
    """Check that a graph can be written completely, before any of it is.

    Raises:
        TableError: an edge ends at a node that is not there, or has a relation that the schema lacks.
    """
    nodes = tables.read("nodes", ("id",))["id"].combine_chunks()
    batches = tables.batches("edges", ("id", "head", "relation", "tail"))
    # Several at once, since the ids of all nodes are hashed again for each of these tables.
    while some := list(islice(batches, 8)):
        edges = pa.Table.from_batches(some)
        for relation in edges["relation"].unique().to_pylist():
            relation_of(schema, relation)
        for end in ("head", "tail"):
            missing = pc.is_null(pc.index_in(edges[end], value_set=nodes))
            stray = pc.index(missing, True).as_py()
            if stray >= 0:
                edge, node = edges["id"][stray], edges[end][stray]
                raise TableError(f"the edge '{edge}' ends at '{node}', which the nodes lack: build the tables again")
