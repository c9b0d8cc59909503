import pytest
from msgspec.structs import replace

from extractors.evaluation.score import Score
from pipeline.graph_evaluation import evaluate_graph, gold_graph, match_nodes
from schemas import Entity, Evidence, Fact, Mention, parse_relation_schema
from tests.pipeline.made import document
from tests.sinks.graphs import Graph, make_document, make_edge, make_node

SCHEMA = parse_relation_schema(
    """
name: made
entity_types: [PER, LOC]
rules: {symmetric: enforce}
relations:
  - {id: in, label: lives in, iri: "http://example.org/1"}
  - {id: knows, label: knows, iri: "http://example.org/2", symmetric: true}
"""
)
ANN = Entity((Mention(0, 1),), "PER")
BOB = Entity((Mention(2, 3),), "PER")
LUTON = Entity((Mention(6, 7),), "LOC")


def annotated(id):
    """Ann knows Bob, and she lives in Luton."""
    made = document(id, "Ann knows Bob . She is Luton .")
    return replace(made, entities=(ANN, BOB, LUTON), facts=(Fact(0, "knows", 1), Fact(0, "in", 2)))


def test_the_gold_graph_is_merged_by_the_same_rules():
    gold = gold_graph([annotated("a"), annotated("b")], SCHEMA)
    names = {node.id: node.name for node in gold.nodes.values()}
    edges = {(names[head], relation, names[tail]) for head, relation, tail in gold.edges}
    assert edges == {("Ann", "knows", "Bob"), ("Bob", "knows", "Ann"), ("Ann", "in", "Luton")}
    assert gold.stated["a"] == gold.stated["b"] == gold.edges
    assert {node.support for node in gold.nodes.values()} == {2}


def test_nodes_stand_for_each_other_once_and_the_best_counts():
    ada = make_node("Ada Lovelace", aliases=("Ada", "Lovelace"))
    town = make_node("Lovelace", "LOC")
    linked = make_node("Byron", kb_id="wiki:Lord Byron")
    short = make_node("Ada", support=9)
    long = make_node("Ada King", aliases=("ada", "ADA  LOVELACE"))
    other = make_node("George Gordon", kb_id="wiki:Lord Byron")
    stranger = make_node("Lovelace", "PER")
    matched = match_nodes([ada, town, linked], [short, long, other, stranger])
    assert matched == {long.id: ada.id, other.id: linked.id}


@pytest.fixture
def tables(tmp_path):
    """A graph of one of the two documents: two nodes are right, one has another type, one is there twice."""
    ann, bob, luton, again = make_node("ANN"), make_node("Bob"), make_node("Luton", "PER"), make_node("Bobby", "LOC")
    edges = [
        make_edge(ann, "knows", bob, 0.9),
        make_edge(bob, "knows", ann, 0.8),
        make_edge(ann, "in", luton, 0.7),
        make_edge(bob, "in", again, 0.3),
    ]
    text = annotated("a").text
    evidence = [Evidence(e.id, "text-1", 0, 0, 3, "Ann", (), (), e.confidence - 0.1) for e in edges]
    graph = Graph([ann, bob, luton, again], edges, evidence, [make_document("text-1", text.replace(" ", "  "))])
    return graph.write(tmp_path)


def test_edges_count_by_their_confidence_and_facts_by_their_document(tables):
    scores = evaluate_graph(tables, [annotated("a"), annotated("b")], SCHEMA, (0.0, 0.5, 0.75, 0.85))
    assert scores.documents == (2, 1)
    assert scores.nodes == Score(gold=3, predicted=4, correct=2)
    assert scores.edges == {0.0: Score(3, 4, 2), 0.5: Score(3, 3, 2), 0.75: Score(3, 2, 2), 0.85: Score(3, 1, 1)}
    assert scores.facts == {0.0: Score(3, 4, 2), 0.5: Score(3, 3, 2), 0.75: Score(3, 1, 1), 0.85: Score(3, 0, 0)}
    assert scores.best == (0.75, Score(3, 2, 2))
    assert scores.best_fact == (0.5, Score(3, 3, 2))
    assert scores.gap == pytest.approx(2 / 3 - 0.8)
    assert scores.confidence.ece == pytest.approx((0.1 + 0.2 + 0.7 + 0.3) / 4)


def test_an_empty_graph(tmp_path):
    scores = evaluate_graph(Graph().write(tmp_path), [annotated("a")], SCHEMA)
    assert scores.nodes == Score(3, 0, 0)
    assert scores.edges[0.0] == Score(3, 0, 0)
    assert (scores.facts[0.0], scores.confidence) == (Score(0, 0, 0), None)
