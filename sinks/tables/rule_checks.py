"""Finds edges that break the rules of the relation schema.

Edges are read in batches; memory holds names and types of nodes, ids of edges, and counts for functional relations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from schemas import RelationSchema, edge_id
from sinks.tables.tables import GraphTables

_COLUMNS = ("id", "head", "relation", "tail")


@dataclass(frozen=True)
class BrokenRule:
    """An edge that breaks a rule.

    Attributes:
        rule: `inverse`, `symmetric`, `types` or `functional`.
        level: the level of the rule in the schema.
        edge: id of the edge.
        message: the edge and the problem, in words.
    """

    rule: str
    level: str
    edge: str
    message: str


def broken_rules(tables: GraphTables, schema: RelationSchema) -> Iterator[BrokenRule]:
    """Yield every edge that breaks a rule which is not off, in the order of the edges.

    Raises:
        TableError: a table is missing, cannot be read or has other columns.
    """
    check = _Check(tables, schema)
    for batch in tables.batches("edges", _COLUMNS):
        yield from check.broken(batch)


class _Check:
    """The parts of the whole graph that are needed to check one edge."""

    def __init__(self, tables: GraphTables, schema: RelationSchema) -> None:
        self.schema = schema
        self.levels = {rule: getattr(schema.rules, rule) for rule in schema.rules.__struct_fields__}
        self.pairs = {relation.id: relation.expected_pairs for relation in schema.relations}
        most = {relation.id: relation.max_cardinality for relation in schema.relations}
        self.most = {id: number for id, number in most.items() if number is not None}
        self.edges = tables.read("edges", ("id",))["id"].combine_chunks()
        self.nodes: dict[str, tuple[str, str]] = {}
        for batch in tables.batches("nodes", ("id", "name", "type")):
            for id, *described in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self.nodes[id] = (described[0], described[1])
        self.values: Counter[tuple[str, str]] = Counter()
        for batch in tables.batches("edges", ("head", "relation")):
            functional = batch.filter(pc.is_in(batch.column("relation"), value_set=pa.array(self.most, pa.string())))
            self.values.update(zip(*(column.to_pylist() for column in functional.columns), strict=True))

    def broken(self, batch: pa.RecordBatch) -> Iterator[BrokenRule]:
        """Yield the edges of a batch that break a rule."""
        rows = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        wanted = [
            (row, rule, implied)
            for row in rows
            for rule, implied in self.schema.implied(row[2])
            if self.levels[rule] != "off"
        ]
        ids = pa.array([edge_id(tail, implied, head) for (_, head, _, tail), _, implied in wanted], pa.string())
        there = pc.is_in(ids, value_set=self.edges).to_pylist()
        missing = {
            (row[0], rule): implied for (row, rule, implied), known in zip(wanted, there, strict=True) if not known
        }
        for id, head, relation, tail in rows:
            for rule, problem in self._problems(id, head, relation, tail, missing):
                name = self.schema.by_id[relation].label if relation in self.schema.by_id else relation
                edge = f"{self._name(head)} - {name} - {self._name(tail)}"
                yield BrokenRule(rule, self.levels[rule], id, f"{edge}: {problem}")

    def _problems(
        self, id: str, head: str, relation: str, tail: str, missing: dict[tuple[str, str], str]
    ) -> Iterator[tuple[str, str]]:
        for rule in ("inverse", "symmetric"):
            implied = missing.get((id, rule))
            if implied is not None and not self._left_out(tail, implied, head):
                yield (
                    rule,
                    f"'{self.schema.by_id[implied].label}' is missing from {self._name(tail)} to {self._name(head)}",
                )
        pairs, types = self.pairs.get(relation), (self._type(head), self._type(tail))
        if self.levels["types"] != "off" and pairs and types not in pairs:
            expected = ", ".join(sorted("-".join(pair) for pair in pairs))
            yield "types", f"its types are {'-'.join(types)}; expected: {expected}"
        most, values = self.most.get(relation), self.values[head, relation]
        if self.levels["functional"] != "off" and most is not None and values > most:
            yield "functional", f"one of {values}; expected: at most {most}"

    def _left_out(self, head: str, relation: str, tail: str) -> bool:
        """Return whether another enforced rule leaves an edge out."""
        pairs, most = self.pairs.get(relation), self.most.get(relation)
        unexpected = bool(pairs) and (self._type(head), self._type(tail)) not in (pairs or ())
        beyond = most is not None and self.values[head, relation] >= most
        return (unexpected and self.levels["types"] == "enforce") or (beyond and self.levels["functional"] == "enforce")

    def _name(self, id: str) -> str:
        return f"'{self.nodes[id][0]}'" if id in self.nodes else f"node {id}"

    def _type(self, id: str) -> str:
        return self.nodes[id][1] if id in self.nodes else "none"
