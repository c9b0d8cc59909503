import pyoxigraph
import pytest

from sinks import QueryError
from sinks.questions.sparql_engine import SparqlStore, check_query
from tests.sinks.graphs import SCHEMA, small_graph


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    small_graph().write(folder)
    return SparqlStore(folder, SCHEMA)


def rows(answer):
    return [tuple(term.value for term in row) for row in answer]


def test_prefixes_need_no_declaration(store):
    query = "SELECT ?who ?where { ?a wdt:P19 ?b . ?a rdfs:label ?who . ?b rdfs:label ?where }"
    assert rows(store.query(query)) == [("Ada Lovelace", "London")]
    declared = "PREFIX wdt: <x:> SELECT ?a { ?a wdt:P19 ?b }"
    assert rows(store.query(declared)) == []


def test_all_forms_of_queries(store):
    assert store.query("ASK { ?a wdt:P22 ?b }")
    assert not store.query("ASK { ?a wdt:P6 ?b }")
    assert len(list(store.query("CONSTRUCT { ?b wdt:P40 ?a } WHERE { ?a wdt:P22 ?b }"))) == 1
    assert isinstance(store.query("DESCRIBE wdt:P19"), pyoxigraph.QueryTriples)


def test_graphs_that_are_not_there_are_empty(store):
    assert rows(store.query("SELECT ?a { ?a wdt:P22 ?b }", default_graphs=["http://example.org/g"])) == []
    assert rows(store.query("SELECT ?g { GRAPH ?g { ?a ?p ?b } }", named_graphs=["http://example.org/g"])) == []
    with pytest.raises(QueryError, match="cannot be answered"):
        store.query("ASK {}", default_graphs=["not an IRI"])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "no query: try 'SELECT"),
        ("# SELECT", "no query"),
        ("INSERT DATA { <x:a> <x:b> 1 }", "only reads: .*not with INSERT"),
        ("PREFIX x: <x:> DELETE WHERE { ?a ?b ?c }", "not with DELETE"),
        ("LOAD <http://127.0.0.1/x>", "not with LOAD"),
        ("DROP ALL", "not with DROP"),
        ("SELECT ?x { ?x foo:bar ?y }", "prefix that is not declared; .*one of fm:, node:"),
        ("SELECT ?x { ?x a ?y", "cannot be read at its end: expected"),
        ("SELECT ?x\nWHERE [ ?x a ?y }", r"cannot be read at '\[ \?x a \?y }' in line 2, column 7"),
        ("SELECT ('\ud800' AS ?x) {}", "half of a surrogate pair"),
    ],
)
def test_mistakes_are_explained_in_one_line(query, message, store):
    with pytest.raises(QueryError, match=message) as caught:
        store.query(query)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { service silent <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p 1e5SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p 'x'@enSERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { \\u0053ERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { \\U00000053\\u0065rvice <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o FILTER(?s<?b)SERVICE<http://127.0.0.1:9/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o FILTER(?s<?b#>\n)SERVICE<http://127.0.0.1:9/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p '''a'b''c''', \"\"\"\"x\"\"\" . SERVICE ?s { ?s ?p ?o } }",
        "SELECT * { ?s ?p '\\'' SERVICE ?s { ?s ?p ?o } } # '",
        "SELECT * { { SELECT * { SERVICE ?s { ?s ?p ?o } } } }",
        "ASK { ?s ?p ?o . #\nSERVICE ?s { ?s ?p ?o } }",
    ],
)
def test_nothing_is_sent_to_other_servers(query, store, monkeypatch):
    with pytest.raises(QueryError, match="SERVICE is refused"):
        store.query(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?service { ?service rdfs:label 'SERVICE' } # SERVICE",
        'SELECT $service { $service rdfs:label """a "SERVICE" b""" }',
        "SELECT ?x { ?x <http://example.org/SERVICE> ?y }",
        "PREFIX service: <http://example.org/> SELECT ?x { ?x service:SERVICE ?y }",
        "PREFIX : <http://example.org/> SELECT ?x { ?x :SERVICE ?y FILTER(?x < 3 && ?y > 4) }",
        "SELECT (COUNT(*) AS ?insert) { ?x a ?y }",
    ],
)
def test_words_that_are_no_keywords_are_left_alone(query, store):
    check_query(query)
    list(store.query(query))
