"""Semantics of the rules of a relation schema for the edges of a graph, without Beam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from schemas import Edge, RelationSchema, builtin_schemas, edge_id, load_relation_schema


def with_rules(schema: RelationSchema, chosen: str | None, levels: Mapping[str, str]) -> RelationSchema:
    """Return an extractor's relation schema with its rules.

    Args:
        schema: the relations that the extractor predicts, as they were when it was trained.
        chosen: name or file of the schema that has the rules; None: the built-in one of the same name and relations.
        levels: levels of single rules that take precedence.

    Raises:
        SchemaError: the chosen schema is missing, wrong or lacks a relation.
        RuleError: there is no such rule or level.
    """
    if chosen is not None:
        schema = schema.ruled_by(load_relation_schema(chosen))
    elif schema.name in builtin_schemas():
        known = load_relation_schema(schema.name)
        if known.index == schema.index:
            schema = schema.ruled_by(known)
    return replace(schema, rules=schema.rules.changed(levels))


def implied_relations(schema: RelationSchema, *levels: str) -> dict[str, tuple[str, ...]]:
    """Return, by relation, those that hold from tail to head by a rule of one of these levels."""
    found = {
        relation.id: tuple(id for rule, id in schema.implied(relation.id) if getattr(schema.rules, rule) in levels)
        for relation in schema.relations
    }
    return {relation: others for relation, others in found.items() if others}


def rule_of(schema: RelationSchema, relation: str) -> str:
    """Return the rule by which edges of a relation follow from others: only its own, when it is symmetric."""
    found = schema.by_id.get(relation)
    return "symmetric" if found is not None and found.symmetric else "inverse"


def implied_edges(edge: Edge, implied: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the ids of the edges that an edge implies; what was derived itself implies nothing."""
    if edge.derived_from:
        return []
    return [edge_id(edge.tail, relation, edge.head) for relation in implied.get(edge.relation, ())]


def has_expected_types(schema: RelationSchema, relation: str, head: str, tail: str) -> bool:
    """Tell whether the types of head and tail are among those expected of a relation."""
    pairs = schema.by_id[relation].expected_pairs if relation in schema.by_id else frozenset()
    return not pairs or (head, tail) in pairs


def ranked(edges: Iterable[Edge], most: int) -> list[Edge]:
    """Return the edges of one head and one relation, the surest first, ranked and marked where there are too many.

    Equally sure ones are in the order of their independent documents, their documents and their ids.
    """
    order = sorted(edges, key=lambda edge: (-edge.confidence, -edge.independent, -edge.support, edge.id))
    conflict = len(order) > most
    return [replace(edge, rank=rank, conflict=conflict) for rank, edge in enumerate(order, 1)]
