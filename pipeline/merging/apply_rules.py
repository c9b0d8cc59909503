"""Rules of a relation schema on merged edges in Beam: expected types, functional relations, derived edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from msgspec.structs import replace

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.beam.bucketed_lookup import BucketedLookup
from pipeline.merging.rule_semantics import has_expected_types, implied_edges, implied_relations, ranked, rule_of
from schemas import Edge, Evidence, RelationSchema

# Findings of rules, which are counted.
UNEXPECTED = "types: edges of unexpected types"
CONFLICT = "functional: edges in conflict"
# Reasons for dropping, which are counted.
UNEXPECTED_DROPPED = "edge of unexpected types"
CONFLICT_DROPPED = "edge beyond the cardinality"
SOURCELESS = "derived edge whose sources are left out"
EVIDENCE_DROPPED = "evidence of edges left out"


@dataclass(eq=False)
class FilterEdgesByRules(beam.PTransform[Any, Any]):
    """PCollections of edges and of nodes to the `edges` that comply with the rules on types and functional relations,
    in several PCollections, with the findings of `rules` and the reasons of `dropped`."""

    schema: RelationSchema
    buckets: int

    def expand(self, inputs: tuple[Any, Any]) -> dict[str, Any]:
        """Apply to both in this order."""
        edges, nodes = inputs
        types = nodes | "type" >> beam.Map(lambda node: (node.id, node.type))
        routed = edges | "route" >> (
            beam.ParDo(_Route(self.schema))
            .with_output_types(Edge, typed=tuple[str, Edge], functional=tuple[str, tuple[Edge, None]])
            .with_outputs("typed", "functional", main="free")
        )
        by_head = (
            (routed.typed, types)
            | "tails" >> BucketedLookup(self.buckets, Edge, _TYPE)
            | "tail types" >> beam.Map(_with_tail_type)
        )
        filtered = (
            ((by_head, routed.functional), types)
            | "heads" >> BucketedGroupByKey(self.buckets, ValueType(tuple[Edge, str | None]), _TYPE)
            | "filter"
            >> beam.FlatMap(_filter, self.schema, _functional(self.schema))
            .with_output_types(Edge, rules=str, dropped=str)
            .with_outputs("rules", "dropped", main="edges")
        )
        return {
            "edges": (routed.free, filtered.edges),
            "rules": filtered.rules,
            "dropped": filtered.dropped,
        }


@dataclass(eq=False)
class DropUnsupportedEdges(beam.PTransform[Any, Any]):
    """Edges and their evidence to those that remain: `edges`, `evidence`, and the findings of `rules` and `dropped`.

    Evidence is dropped with its edge, and a derived edge with the edges that imply it.
    """

    schema: RelationSchema
    buckets: int

    def expand(self, inputs: tuple[Sequence[Any], Any]) -> Any:
        """Apply to PCollections of edges, several of them, and of (edge id, evidence) pairs."""
        filtered, evidence = inputs
        implied = implied_relations(self.schema, "warn", "enforce")
        by_id = tuple(
            edges | f"by id {number}" >> beam.Map(lambda edge: (edge.id, edge)) for number, edges in enumerate(filtered)
        )
        sources = tuple(
            edges | f"sources {number}" >> beam.FlatMap(_sources, implied, self.schema)
            for number, edges in enumerate(filtered)
        )
        return (
            (by_id, sources, evidence)
            | "join by id"
            >> BucketedGroupByKey(self.buckets, ValueType(Edge), ValueType(tuple[str, str]), ValueType(Evidence))
            | "drop unsupported"
            >> beam.FlatMap(_supported, self.schema)
            .with_output_types(Edge, evidence=Evidence, rules=str, dropped=str)
            .with_outputs("evidence", "rules", "dropped", main="edges")
        )


class _Route(beam.DoFn):
    """Edges to those without rules, and by tag those of relations with expected types, by their tail, and those of
    other functional relations, by their head."""

    def __init__(self, schema: RelationSchema) -> None:
        rules, relations = schema.rules, schema.relations
        self.typed = {relation.id for relation in relations if relation.expected_pairs and rules.types != "off"}
        self.functional = _functional(schema)

    def process(self, edge: Edge) -> Iterator[Any]:
        if edge.relation in self.typed:
            yield beam.pvalue.TaggedOutput("typed", (edge.tail, edge))
        elif edge.relation in self.functional:
            yield beam.pvalue.TaggedOutput("functional", (edge.head, (edge, None)))
        else:
            yield edge


# A node has one type; edges whose types do not matter have no type of their tail.
_TYPE = ValueType(str, min)


def _with_tail_type(found: tuple[str, Edge, str]) -> tuple[str, tuple[Edge, str]]:
    _, edge, type = found
    return edge.head, (edge, type)


def _filter(
    group: tuple[str, list[tuple[Edge, str | None]], str], schema: RelationSchema, functional: dict[str, int]
) -> Iterator[Any]:
    """Yield the edges of one head that comply with the rules."""
    _, edges, type = group
    values: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge, tail_type in edges:
        if tail_type is not None and not has_expected_types(schema, edge.relation, type, tail_type):
            yield beam.pvalue.TaggedOutput("rules", UNEXPECTED)
            if schema.rules.types != "warn":
                yield beam.pvalue.TaggedOutput("dropped", UNEXPECTED_DROPPED)
                continue
        if edge.relation in functional:
            values[edge.relation].append(edge)
        else:
            yield edge
    for relation, of_relation in values.items():
        most = functional[relation]
        for edge in ranked(of_relation, most):
            if edge.conflict:
                yield beam.pvalue.TaggedOutput("rules", CONFLICT)
            if schema.rules.functional == "warn":
                yield edge
            elif edge.rank <= most:
                yield replace(edge, conflict=False)
            else:
                yield beam.pvalue.TaggedOutput("dropped", CONFLICT_DROPPED)


def _functional(schema: RelationSchema) -> dict[str, int]:
    """Return by relation the number of tails that a head may have, if a rule limits it."""
    if schema.rules.functional == "off":
        return {}
    return {relation.id: relation.max_cardinality for relation in schema.relations if relation.max_cardinality}


def _sources(
    edge: Edge, implied: dict[str, tuple[str, ...]], schema: RelationSchema
) -> Iterator[tuple[str, tuple[str, str]]]:
    relations = implied.get(edge.relation, ())
    for relation, id in zip(relations, implied_edges(edge, implied), strict=False):
        yield id, (edge.id, rule_of(schema, relation))


def _supported(
    group: tuple[str, list[Edge], list[tuple[str, str]], list[Evidence]], schema: RelationSchema
) -> Iterator[Any]:
    _, edges, implied_by, evidence = group
    sources = dict(implied_by)
    edge = edges[0] if edges else None
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
    for row in evidence:
        yield beam.pvalue.TaggedOutput(*(("dropped", EVIDENCE_DROPPED) if edge is None else ("evidence", row)))
