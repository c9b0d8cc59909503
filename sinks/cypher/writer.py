"""The graph as an embedded Cypher database, loaded by bulk copies into a fresh file.

Every entity type is a node label and every relation a relationship type, so that queries read as they do in Neo4j:
`MATCH (p:PER)-[r:PLACE_OF_BIRTH]->(l:LOC) RETURN p.name, r.confidence, l.name`. `sinks.property_graph`
has the names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import ladybug
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import TABLES, RelationSchema
from sinks.cypher.query_errors import first_line
from sinks.cypher.statement import run_statement
from sinks.labels import DOCUMENT
from sinks.property_graph import DOCUMENT_PROPERTIES, EDGE_PROPERTIES, ENTITY_PROPERTIES, Names, documents, quoted
from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables, TableError
from sinks.writer import GraphWriter, WriteError, relation_of

_KINDS = {
    "key": pa.string(),
    **{field.name: field.type for name in ("documents", "nodes", "edges") for field in TABLES[name]},
    "documents": pa.list_(pa.string()),
    "evidence": pa.list_(pa.string()),
}
_KIND_NAMES = {
    pa.string(): "STRING",
    pa.list_(pa.string()): "STRING[]",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INT32",
    pa.int64(): "INT64",
    pa.float64(): "DOUBLE",
}
# Rows that are sorted by label in one step.
_ROWS = 131_072

# (relation id, label of the head, label of the tail)
_Pair = tuple[str, str, str]


class CypherWriter(GraphWriter):
    """Writes `graph.db`, then compares its content with the tables."""

    name = "cypher"
    file = "graph.db"

    def write(self, tables: GraphTables, target: str | Path, schema: RelationSchema) -> dict[str, int]:
        """Write the database, and remove the logs that a program may have left when it changed the previous one."""
        target = Path(target)
        counts = super().write(tables, target, schema)
        for suffix in (".wal", ".shadow"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        return counts

    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Create the labels and types, copy nodes, then edges, and count both."""
        naming = Names.of(tables, schema)
        labels, types = _Labels.of(tables, naming), naming.types
        pairs = _count_pairs(tables, labels)
        for relation, _, _ in pairs:
            relation_of(schema, relation)
        try:
            # An automatic checkpoint costs 16 ms per copy; one at the end suffices.
            with (
                ladybug.Database(draft, auto_checkpoint=False) as database,
                ladybug.Connection(database) as connection,
            ):
                _create(connection, labels.names, types, pairs)
                for batch in tables.batches("nodes", rows=_ROWS):
                    _copy_nodes(connection, batch, labels)
                for batch in documents(tables, _ROWS):
                    connection.execute(f"COPY {DOCUMENT} FROM $rows", {"rows": pa.Table.from_batches([batch])})
                _copy_edges(connection, tables, labels, types)
                connection.execute("CHECKPOINT")
            with ladybug.Database(draft, read_only=True) as database, ladybug.Connection(database) as connection:
                _check(connection, labels, types, pairs, tables.count("documents"))
        except RuntimeError as error:
            reason = first_line(str(error))
            if "mmap" in reason.lower():
                raise WriteError(
                    f"cannot write the Cypher database, which reserves much address space: raise the limit 'ulimit -v' "
                    f"({reason})"
                ) from error
            raise WriteError(f"cannot write the Cypher database, is there room on the disk? {reason}") from error
        counts = {"nodes": len(labels.of_node), "edges": sum(pairs.values())}
        return {**counts, "documents": tables.count("documents")}


@dataclass(frozen=True)
class _Labels:
    """The node labels, and which of them (by position in `names`) every node has, in the order of `ids`."""

    names: tuple[str, ...]
    of_type: Mapping[str, int]
    ids: pa.Array
    of_node: np.ndarray

    @classmethod
    def of(cls, tables: GraphTables, naming: Names) -> _Labels:
        """Read the labels of all nodes."""
        nodes = tables.read("nodes", ("id", "type")).combine_chunks()
        ids = nodes["id"].combine_chunks()
        twice = pc.index(pc.equal(ids[1:], ids[:-1]), True).as_py()
        if twice >= 0:
            raise TableError(f"the node '{ids[twice]}' occurs twice in the nodes: build the tables again")
        names = tuple(dict.fromkeys(naming.labels.values()))
        of_type = {type: names.index(label) for type, label in naming.labels.items()}
        coded = nodes["type"].combine_chunks().dictionary_encode()
        of_code = np.array([of_type[type] for type in coded.dictionary.to_pylist()], np.int32)
        return cls(names, of_type, ids, of_code[coded.indices.to_numpy()])

    def at(self, ids: pa.Array, edges: pa.Array) -> np.ndarray:
        """Return the label positions of the nodes `ids`, which are ends of `edges`."""
        rows = pc.index_in(ids, value_set=self.ids)
        if rows.null_count:
            stray = pc.index(pc.is_null(rows), True).as_py()
            raise TableError(
                f"the edge '{edges[stray]}' ends at '{ids[stray]}', which the nodes lack: build the tables again"
            )
        labels: np.ndarray = self.of_node[rows.to_numpy()]
        return labels


def _count_pairs(tables: GraphTables, labels: _Labels) -> Counter[_Pair]:
    pairs: Counter[_Pair] = Counter()
    for batch in tables.batches("edges", ("id", "head", "relation", "tail"), _ROWS):
        for pair, rows in _by_pair(batch, labels):
            pairs[pair] += len(rows)
    return pairs


def _by_pair(edges: pa.RecordBatch | pa.Table, labels: _Labels) -> Iterator[tuple[_Pair, np.ndarray]]:
    """Yield the rows of every (relation, head label, tail label) that occurs, as (pair, positions)."""
    column = {name: _whole(edges[name]) for name in ("id", "head", "relation", "tail")}
    relations = column["relation"].dictionary_encode()
    count = len(labels.names)
    heads, tails = labels.at(column["head"], column["id"]), labels.at(column["tail"], column["id"])
    keys = (relations.indices.to_numpy().astype(np.int64) * count + heads) * count + tails
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    for key, rows in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        relation, ends = divmod(key, count * count)
        head, tail = divmod(ends, count)
        yield (relations.dictionary[relation].as_py(), labels.names[head], labels.names[tail]), rows


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _create(
    connection: ladybug.Connection, labels: tuple[str, ...], types: Mapping[str, str], pairs: Counter[_Pair]
) -> None:
    # One transaction, because every commit waits for the disk.
    connection.execute("BEGIN TRANSACTION")
    for label in labels:
        connection.execute(f"CREATE NODE TABLE {quoted(label)}({_columns(ENTITY_PROPERTIES)}, PRIMARY KEY(id))")
    connection.execute(f"CREATE NODE TABLE {DOCUMENT}({_columns(DOCUMENT_PROPERTIES)}, PRIMARY KEY(id))")
    ends: dict[str, list[str]] = {relation: [] for relation in types}
    for relation, head, tail in sorted(pairs):
        ends[relation].append(f"FROM {quoted(head)} TO {quoted(tail)}")
    # Relations without edges are created too, so that a query for one returns no rows instead of an error.
    unused = f"FROM {quoted(labels[0])} TO {quoted(labels[0])}"
    for relation, type in types.items():
        between = ", ".join(ends[relation] or [unused])
        connection.execute(f"CREATE REL TABLE {quoted(type)}({between}, {_columns(EDGE_PROPERTIES)})")
    # Neo4j has type(r), the database label(r): both work.
    connection.execute("CREATE MACRO type(relationship) AS label(relationship)")
    connection.execute("COMMIT")


def _columns(properties: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_KIND_NAMES[_KINDS[name]]}" for name in properties)


def _copy_nodes(connection: ladybug.Connection, batch: pa.RecordBatch, labels: _Labels) -> None:
    table = pa.Table.from_batches([batch]).select(ENTITY_PROPERTIES)
    position = np.array([labels.of_type[type] for type in batch.column("type").to_pylist()], np.int32)
    for index in np.unique(position):
        rows = table.take(np.flatnonzero(position == index))
        connection.execute(f"COPY {quoted(labels.names[index])} FROM $rows", {"rows": rows})


def _copy_edges(connection: ladybug.Connection, tables: GraphTables, labels: _Labels, types: Mapping[str, str]) -> None:
    """Copy the edges of each pair at once, because a second copy makes the database rewrite the first."""
    pieces: defaultdict[_Pair, list[pa.Table]] = defaultdict(list)
    for table in edges_with_evidence(tables, _ROWS):
        columns = table.select(["head", "tail", *EDGE_PROPERTIES])
        for pair, rows in _by_pair(table, labels):
            pieces[pair].append(columns.take(rows))
    for pair in sorted(pieces):
        relation, head, tail = pair
        # Labels consist of word characters, so they need no escaping within quotes.
        copy = f"COPY {quoted(types[relation])} FROM $rows (from='{head}', to='{tail}')"
        connection.execute(copy, {"rows": pa.concat_tables(pieces.pop(pair))})


def _check(
    connection: ladybug.Connection, labels: _Labels, types: Mapping[str, str], pairs: Counter[_Pair], sources: int
) -> None:
    """Compare the counts of the database with those of the tables, by label and by type with the labels at its ends."""
    wanted: Counter[tuple[str, ...]] = Counter({(DOCUMENT,): sources})
    for (relation, head, tail), count in pairs.items():
        wanted[types[relation], head, tail] = count
    wanted.update((labels.names[position],) for position in labels.of_node.tolist())
    found: Counter[tuple[str, ...]] = Counter()
    for query in (
        "MATCH (n) RETURN [label(n)], count(*)",
        "MATCH (a)-[r]->(b) RETURN [label(r), label(a), label(b)], count(*)",
    ):
        for key, count in run_statement(connection, query)[1]:
            found[tuple(key)] = count
    for key in wanted.keys() | found.keys():
        if wanted[key] != found[key]:
            raise WriteError(
                f"the Cypher database holds {found[key]} of {wanted[key]} rows of {' '.join(key)}: it was not put in "
                f"place; write it again, and report this if it comes back"
            )
