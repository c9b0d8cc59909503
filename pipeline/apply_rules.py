"""Applying the rules of a relation schema to merged edges: expected types, functional relations, derived edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from msgspec.structs import replace

from pipeline.rules import has_expected_types, implied_edges, implied_relations, ranked, rule_of
from schemas import Edge, Evidence, Node, Record, RelationSchema, decode, encode

# Words of what a rule found, counted by the build.
UNEXPECTED = "types: edges of unexpected types"
CONFLICT = "functional: edges in conflict"
# Words of what is left out, counted with everything else that is dropped.
UNEXPECTED_DROPPED = "edge of unexpected types"
CONFLICT_DROPPED = "edge beyond the cardinality"
SOURCELESS = "derived edge whose sources are left out"
EVIDENCE_DROPPED = "evidence of edges left out"


class EdgeWithHead(Record, frozen=True):
    """An edge and the type of its head."""

    edge: Edge
    head_type: str


@dataclass(eq=False)
class CheckTypes(beam.PTransform[Any, Any]):
    """PCollections `edges` and `nodes` to edges, tagged `edges`, with the words of `rules` and `dropped`."""

    schema: RelationSchema

    def expand(self, inputs: Mapping[str, Any]) -> Any:
        """Apply to PCollections by these names."""
        by_head = inputs["edges"] | "by head" >> beam.Map(lambda edge: (edge.head, encode(edge))).with_output_types(
            _KEYED
        )
        types = inputs["nodes"] | "types" >> beam.Map(_type_of).with_output_types(_KEYED)
        by_tail = (
            {"edges": by_head, "types": types}
            | "join heads" >> beam.CoGroupByKey()
            | "by tail" >> beam.FlatMap(_with_head_type).with_output_types(_KEYED)
        )
        return (
            {"edges": by_tail, "types": types}
            | "join tails" >> beam.CoGroupByKey()
            | "judge"
            >> beam.FlatMap(_judge_types, self.schema)
            .with_output_types(Edge, rules=str, dropped=str)
            .with_outputs("rules", "dropped", main="edges")
        )


@dataclass(eq=False)
class RankValues(beam.PTransform[Any, Any]):
    """Edges of functional relations to the same ranked, tagged `edges`, with the words of `rules` and `dropped`."""

    schema: RelationSchema

    def expand(self, edges: Any) -> Any:
        """Apply to a PCollection of edges."""
        return (
            edges
            | "by head and relation"
            >> beam.Map(lambda edge: ((edge.head, edge.relation), edge)).with_output_types(tuple[tuple[str, str], Edge])
            | "values" >> beam.GroupByKey()
            | "rank"
            >> beam.FlatMap(_rank, self.schema)
            .with_output_types(Edge, rules=str, dropped=str)
            .with_outputs("rules", "dropped", main="edges")
        )


@dataclass(eq=False)
class SettleEdges(beam.PTransform[Any, Any]):
    """Edges and their evidence to those that stay: `edges`, `evidence`, and the words of `rules` and `dropped`.

    Evidence goes with its edge, and a derived edge goes with the edges that it follows from.
    """

    schema: RelationSchema

    def expand(self, inputs: Mapping[str, Any]) -> Any:
        """Apply to PCollections `edges`, and `evidence` as (edge id, encoded evidence)."""
        edges = inputs["edges"]
        implied = implied_relations(self.schema, "warn", "enforce")
        joined = {
            "edge": edges | "by id" >> beam.Map(lambda edge: (edge.id, encode(edge))).with_output_types(_KEYED),
            "sources": edges | "sources" >> beam.FlatMap(_sources, implied, self.schema).with_output_types(_KEYED),
            "evidence": inputs["evidence"],
        }
        return (
            joined
            | "join by id" >> beam.CoGroupByKey()
            | "settle"
            >> beam.FlatMap(_settle, self.schema)
            .with_output_types(Edge, evidence=Evidence, rules=str, dropped=str)
            .with_outputs("evidence", "rules", "dropped", main="edges")
        )


_KEYED = tuple[str, bytes]


def _type_of(node: Node) -> tuple[str, bytes]:
    return node.id, node.type.encode("utf-8", "surrogatepass")


def _with_head_type(group: tuple[str, Mapping[str, Iterable[bytes]]]) -> Iterator[tuple[str, bytes]]:
    _, joined = group
    for type in joined["types"]:
        for data in joined["edges"]:
            edge = decode(data, Edge)
            yield edge.tail, encode(EdgeWithHead(edge, type.decode("utf-8", "surrogatepass")))


def _judge_types(group: tuple[str, Mapping[str, Iterable[bytes]]], schema: RelationSchema) -> Iterator[Any]:
    _, joined = group
    for type in joined["types"]:
        tail_type = type.decode("utf-8", "surrogatepass")
        for data in joined["edges"]:
            found = decode(data, EdgeWithHead)
            expected = has_expected_types(schema, found.edge.relation, found.head_type, tail_type)
            if not expected:
                yield beam.pvalue.TaggedOutput("rules", UNEXPECTED)
            if expected or schema.rules.types == "warn":
                yield found.edge
            else:
                yield beam.pvalue.TaggedOutput("dropped", UNEXPECTED_DROPPED)


def _rank(group: tuple[tuple[str, str], Iterable[Edge]], schema: RelationSchema) -> Iterator[Any]:
    (_, relation), edges = group
    most = schema.by_id[relation].max_cardinality
    assert most is not None  # noqa: S101 - only edges of functional relations come here
    for edge in ranked(edges, most):
        if edge.conflict:
            yield beam.pvalue.TaggedOutput("rules", CONFLICT)
        if schema.rules.functional == "warn":
            yield edge
        elif edge.rank <= most:
            yield replace(edge, conflict=False)
        else:
            yield beam.pvalue.TaggedOutput("dropped", CONFLICT_DROPPED)


def _sources(edge: Edge, implied: dict[str, tuple[str, ...]], schema: RelationSchema) -> Iterator[tuple[str, bytes]]:
    relations = implied.get(edge.relation, ())
    for relation, id in zip(relations, implied_edges(edge, implied), strict=False):
        yield id, f"{edge.id} {rule_of(schema, relation)}".encode()


def _settle(group: tuple[str, Mapping[str, Iterable[bytes]]], schema: RelationSchema) -> Iterator[Any]:
    _, joined = group
    sources = dict(source.decode().split(" ") for source in joined["sources"])
    edge = next((decode(data, Edge) for data in joined["edge"]), None)
    if edge is None:
        if sources:
            yield beam.pvalue.TaggedOutput("rules", f"{min(sources.values())}: edges missing")
    elif edge.derived_from:
        kept = tuple(source for source in edge.derived_from if source in sources)
        if kept:
            yield beam.pvalue.TaggedOutput("rules", f"{rule_of(schema, edge.relation)}: edges derived")
            yield replace(edge, derived_from=kept)
        else:
            edge = None
            yield beam.pvalue.TaggedOutput("dropped", SOURCELESS)
    else:
        yield edge
    for data in joined["evidence"]:
        yield (
            beam.pvalue.TaggedOutput("dropped", EVIDENCE_DROPPED)
            if edge is None
            else beam.pvalue.TaggedOutput("evidence", decode(data, Evidence))
        )
