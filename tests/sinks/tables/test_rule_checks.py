import pytest

from schemas import parse_relation_schema
from sinks.tables.rule_checks import broken_rules
from tests.sinks.graphs import Graph, make_edge, make_node

SCHEMA = parse_relation_schema(
    """
name: family
entity_types: [PER, LOC]
rules: {types: enforce}
relations:
  - {id: father, label: father of, iri: "http://example.org/1", inverse: child, max_cardinality: 1}
  - {id: child, label: child, iri: "http://example.org/3", expected: [[PER, PER]]}
  - {id: spouse, label: spouse, iri: "http://example.org/4", symmetric: true}
"""
)
ANN, BOB, CYD, LUTON = make_node("Ann"), make_node("Bob"), make_node("Cyd"), make_node("Luton", "LOC")


def broken(tmp_path, *edges, schema=SCHEMA):
    graph = Graph([ANN, BOB, CYD, LUTON], [make_edge(*edge) for edge in edges])
    for rows in (graph.nodes, graph.edges):
        rows.sort(key=lambda row: row.id)
    found = list(broken_rules(graph.write(tmp_path), schema))
    assert [item.edge for item in found] == sorted(item.edge for item in found)
    return sorted((item.rule, item.level, item.message) for item in found)


def test_sound_edges_break_nothing(tmp_path):
    edges = [(ANN, "father", BOB), (BOB, "child", ANN), (ANN, "spouse", CYD), (CYD, "spouse", ANN)]
    assert broken(tmp_path, *edges) == []


@pytest.mark.parametrize(
    ("edge", "rule", "level", "problem"),
    [
        ((ANN, "father", BOB), "inverse", "warn", "'Ann' - father of - 'Bob': 'child' is missing from 'Bob' to 'Ann'"),
        ((ANN, "spouse", BOB), "symmetric", "warn", "'Ann' - spouse - 'Bob': 'spouse' is missing from 'Bob' to 'Ann'"),
        (
            (ANN, "child", LUTON),
            "types",
            "enforce",
            "'Ann' - child - 'Luton': its types are PER-LOC; expected: PER-PER",
        ),
    ],
)
def test_edges_that_break_a_rule(edge, rule, level, problem, tmp_path):
    assert broken(tmp_path, edge) == [(rule, level, problem)]


def test_too_many_values(tmp_path):
    edges = [(ANN, "father", BOB), (ANN, "father", CYD), (BOB, "child", ANN), (CYD, "child", ANN)]
    assert broken(tmp_path, *edges) == [
        ("functional", "warn", "'Ann' - father of - 'Bob': one of 2; expected: at most 1"),
        ("functional", "warn", "'Ann' - father of - 'Cyd': one of 2; expected: at most 1"),
    ]


def test_rules_that_are_off_are_not_broken(tmp_path):
    off = dict.fromkeys(("inverse", "symmetric", "types", "functional"), "off")
    schema = type(SCHEMA)(SCHEMA.name, SCHEMA.entity_types, SCHEMA.relations, SCHEMA.rules.changed(off))
    assert broken(tmp_path, (ANN, "father", LUTON), (ANN, "child", LUTON), (ANN, "spouse", BOB), schema=schema) == []


def test_an_implied_edge_that_an_enforced_rule_leaves_out_is_not_missed(tmp_path):
    assert broken(tmp_path, (BOB, "child", ANN), (LUTON, "father", ANN)) == []
