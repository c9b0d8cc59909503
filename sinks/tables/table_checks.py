"""Checks the tables of a graph: ids resolve, keys are sorted, numbers and offsets are valid.

Everything is read in batches; memory holds the ids of nodes, edges and documents, and the texts of some documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from schemas import SORT_KEYS, TABLES, RelationSchema, edge_id
from sinks.tables.tables import GraphTables

# Documents whose texts are in memory at the same time.
_DOCUMENTS = 20_000


@dataclass(frozen=True)
class Problem:
    """A rule that rows of a table break.

    Attributes:
        table: name of the table.
        rule: what should hold.
        rows: how many rows break it.
        example: one of them.
    """

    table: str
    rule: str
    rows: int
    example: str


def check_tables(tables: GraphTables, schema: RelationSchema, rows: Mapping[str, int] | None = None) -> list[Problem]:
    """Return every rule that the tables break.

    Args:
        tables: the graph.
        schema: the relation schema that the graph was built with.
        rows: the expected number of rows of each table.

    Raises:
        TableError: a table is missing, cannot be read or has other columns.
    """
    found = _Findings()
    for name in TABLES:
        if rows is not None and name in rows and tables.count(name) != rows[name]:
            found.add(name, f"has the {rows[name]:,} rows that run.json states", 1, f"{tables.count(name):,} rows")
    nodes = _ids(tables, "nodes", found)
    documents = _ids(tables, "documents", found)
    edges = _ids(tables, "edges", found)
    for batch in tables.batches("nodes"):
        _check_nodes(batch, found)
    relations = pa.array([relation.id for relation in schema.relations], pa.string())
    for batch in tables.batches("edges"):
        _check_edges(batch, nodes, relations, found)
    for batch in tables.batches("evidence"):
        _check_evidence(batch, edges, documents, found)
    _check_sorted(tables, "evidence", found)
    for batch in tables.batches("documents", rows=_DOCUMENTS):
        _check_texts(batch, tables, found)
    return found.problems()


class _Findings:
    """Counts broken rules, with the first example of each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def add(self, table: str, rule: str, rows: int, example: str) -> None:
        """Count rows that break a rule."""
        before, first = self._found.get((table, rule), (0, example))
        self._found[table, rule] = (before + rows, first)

    def where(self, table: str, rule: str, wrong: pa.Array, names: pa.Array) -> None:
        """Count the rows for which `wrong` holds; `names` identifies each row."""
        rows = pc.sum(wrong).as_py() or 0
        if rows:
            self.add(table, rule, rows, str(names.filter(wrong)[0]))

    def problems(self) -> list[Problem]:
        """Return the problems, table by table."""
        order = list(TABLES)
        found = [Problem(table, rule, rows, example) for (table, rule), (rows, example) in self._found.items()]
        return sorted(found, key=lambda problem: (order.index(problem.table), -problem.rows))


def _ids(tables: GraphTables, name: str, found: _Findings) -> pa.Array:
    ids = tables.read(name, ("id",))["id"].combine_chunks()
    ids = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
    found.where(name, "ids are unique and sorted", pc.less_equal(ids[1:], ids[:-1]), ids[1:])
    return ids


def _check_nodes(batch: pa.RecordBatch, found: _Findings) -> None:
    ids, support, mentions = (batch.column(name) for name in ("id", "support", "mentions"))
    found.where("nodes", "a node is mentioned in at least one document", pc.less(support, 1), ids)
    found.where("nodes", "a node has at least as many mentions as documents", pc.less(mentions, support), ids)
    aliases = batch.column("aliases")
    own = pc.equal(aliases.flatten(), batch.column("name").take(pc.list_parent_indices(aliases)))
    named = pc.list_parent_indices(aliases).filter(own)
    rows = pa.array(range(len(batch)), named.type)
    found.where("nodes", "the name is among the aliases", pc.invert(pc.is_in(rows, value_set=named)), ids)


def _check_edges(batch: pa.RecordBatch, nodes: pa.Array, relations: pa.Array, found: _Findings) -> None:
    ids, confidence = batch.column("id"), batch.column("confidence")
    for end in ("head", "tail"):
        found.where("edges", f"the {end} is a node", pc.invert(pc.is_in(batch.column(end), value_set=nodes)), ids)
    known = pc.is_in(batch.column("relation"), value_set=relations)
    found.where("edges", "the relation is in the relation schema", pc.invert(known), ids)
    valid = pc.and_(pc.greater(confidence, 0.0), pc.less_equal(confidence, 1.0))
    found.where("edges", "the confidence is above 0 and at most 1", pc.invert(valid), ids)
    found.where("edges", "an edge is stated by at least one document", pc.less(batch.column("support"), 1), ids)
    ends = zip(*(batch.column(name).to_pylist() for name in ("head", "relation", "tail")), strict=True)
    hashes = pa.array([edge_id(*end) for end in ends], pa.string())
    found.where("edges", "the id is the hash of head, relation and tail", pc.not_equal(ids, hashes), ids)


def _check_evidence(batch: pa.RecordBatch, edges: pa.Array, documents: pa.Array, found: _Findings) -> None:
    edge, document, start, end = (batch.column(name) for name in ("edge", "document", "start", "end"))
    for name, column, known in (("edge", edge, edges), ("document", document, documents)):
        found.where("evidence", f"the {name} is there", pc.invert(pc.is_in(column, value_set=known)), column)
    wrong = pc.or_(pc.less(start, 0), pc.less(batch.column("sentence"), 0))
    found.where("evidence", "offsets and sentence numbers are not negative", wrong, edge)
    length = pc.utf8_length(batch.column("text"))
    found.where(
        "evidence", "the text has the length of its offsets", pc.not_equal(length, pc.subtract(end, start)), edge
    )
    probability = batch.column("probability")
    valid = pc.and_(pc.greater_equal(probability, 0.0), pc.less_equal(probability, 1.0))
    found.where("evidence", "the probability is between 0 and 1", pc.invert(valid), edge)
    for name in ("head_spans", "tail_spans"):
        spans = batch.column(name)
        rows, parts = pc.list_parent_indices(spans), spans.flatten()
        begins, ends = parts.field("start"), parts.field("end")
        inside = pc.and_(pc.greater_equal(begins, start.take(rows)), pc.less_equal(ends, end.take(rows)))
        sound = pc.and_(inside, pc.less(begins, ends))
        found.where("evidence", f"{name} are within the sentence", pc.invert(sound), edge.take(rows))


def _check_sorted(tables: GraphTables, name: str, found: _Findings) -> None:
    last: tuple[object, ...] | None = None
    for batch in tables.batches(name, SORT_KEYS[name]):
        for key in zip(*(batch.column(column).to_pylist() for column in SORT_KEYS[name]), strict=True):
            if last is not None and key <= last:
                found.add(name, "rows are unique and sorted", 1, str(key[0]))
            last = key


def _check_texts(documents: pa.RecordBatch, tables: GraphTables, found: _Findings) -> None:
    texts = dict(zip(documents.column("id").to_pylist(), documents.column("text").to_pylist(), strict=True))
    wanted = pc.field("document").isin(documents.column("id"))
    evidence = tables.read("evidence", ("document", "start", "end", "text"), wanted)
    for batch in evidence.to_batches():
        for row in _rows(batch):
            id, start, end, text = row
            if texts[id][start:end] != text:
                found.add("evidence", "the document has the text at its offsets", 1, f"{id} {start}:{end}")


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[str, int, int, str]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)
