import pytest

from schemas import load_relation_schema
from sinks import GraphTables, TableError, describe, find, suggest
from tests.sinks.graphs import ODD_NAMES, SCHEMA, Graph, make_edge, make_node, odd_graph, random_graph


@pytest.fixture(scope="module")
def tables(small_folder):
    return GraphTables.open(small_folder)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Ada Lovelace", ["Ada Lovelace"]),
        ("Countess of Lovelace", ["Ada Lovelace"]),
        ("ada   LOVELACE ", ["Ada Lovelace"]),
        ("countess of lovelace", ["Ada Lovelace"]),
        ("ＬＯＮＤＯＮ", ["London"]),
        ("wiki:Lord Byron", ["Lord Byron"]),
        (make_node("x", kb_id="wiki:London").id, ["London"]),
        ("mesh:D017706", ["Lisinopril"]),
        ("Byron", []),
        ("", []),
    ],
)
def test_find(tables, name, found):
    assert [node.name for node in find(tables, name)] == found


def test_the_strictest_sense_wins_and_the_best_known_comes_first(tmp_path):
    graph = Graph(
        [
            make_node("Paris", "LOC", support=2),
            make_node("Paris", "PER", support=9),
            make_node("Capital of France", "LOC", aliases=("Paris",), support=50),
            make_node("PARIS", "ORG", support=99),
        ]
    )
    assert [(node.type, node.support) for node in find(graph.write(tmp_path), "Paris")] == [("PER", 9), ("LOC", 2)]


def test_odd_names_are_found_exactly(tmp_path):
    tables = odd_graph().write(tmp_path)
    for name in ODD_NAMES:
        assert name in [node.name for node in find(tables, name)]


def test_suggestions_are_the_closest_names(tables):
    assert suggest(tables, "ada lovelase")[0] == "Ada Lovelace"
    assert suggest(tables, "Lnodon")[0] == "London"
    assert len(suggest(tables, "Lo", 2)) <= 2
    assert suggest(tables, "☃") == []


def test_facts_in_both_directions_with_marked_sentences(tables):
    ada = find(tables, "Ada Lovelace")[0]
    born, father = describe(tables, ada, SCHEMA).facts
    assert (born.label, born.outgoing, born.other.name) == ("place of birth", True, "London")
    assert (born.confidence, born.support) == (0.9375, 2)
    assert [(sentence.document, sentence.title) for sentence in born.evidence] == [
        ("pubmed:17942999", "17942999"),
        ("wiki:Ada Lovelace", "Ada Lovelace"),
        ("wiki:Ada Lovelace", "Ada Lovelace"),
    ]
    for fact, tail in ((born, "London"), (father, "Lord Byron")):
        for sentence in fact.evidence:
            assert [sentence.text[start:end] for start, end in sentence.head_spans] == ["Ada Lovelace"]
            assert [sentence.text[start:end] for start, end in sentence.tail_spans] == [tail]
    (incoming,) = describe(tables, find(tables, "London")[0], SCHEMA).facts
    assert (incoming.outgoing, incoming.other.name, incoming.evidence) == (False, "Ada Lovelace", born.evidence)


def test_node_without_facts(tables):
    lonely = find(tables, "Lisinopril")[0]
    assert describe(tables, lonely, SCHEMA).facts == ()


def test_facts_are_complete_in_a_larger_graph(tmp_path):
    graph = random_graph(60, 300)
    tables = graph.write(tmp_path)
    node = graph.nodes[7]
    facts = describe(tables, node, SCHEMA).facts
    assert {fact.id for fact in facts} == {edge.id for edge in graph.edges if node.id in (edge.head, edge.tail)}
    assert [fact.confidence for fact in facts] == sorted((fact.confidence for fact in facts), reverse=True)
    counts = {edge.id: edge.support for edge in graph.edges}
    assert all(len(fact.evidence) == counts[fact.id] for fact in facts)


def test_another_schema_is_named(tables):
    with pytest.raises(TableError, match=r"relation 'P\d+', which the relation schema 'cdr' lacks"):
        describe(tables, find(tables, "London")[0], load_relation_schema("cdr"))


def test_an_edge_whose_other_end_is_missing_is_named(tmp_path):
    a, b = make_node("A"), make_node("B")
    tables = Graph([a], [make_edge(a, "P17", b)]).write(tmp_path)
    with pytest.raises(TableError, match=f"ends at '{b.id}', which the nodes lack"):
        describe(tables, a, SCHEMA)
