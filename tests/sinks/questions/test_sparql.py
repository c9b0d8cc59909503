import pytest

from sinks import QueryError, RdfWriter
from sinks.questions.query_limits import AnswerTooLarge, QueryCrash, QueryLimits, QueryTimeout
from sinks.questions.sparql import SparqlStore
from sinks.questions.sparql_engine import check_query
from tests.sinks.graphs import SCHEMA, make_node, random_graph, small_graph


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    small_graph().write(folder)
    with SparqlStore(str(folder), SCHEMA) as opened:
        yield opened


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
    assert [str(triple.object) for triple in store.query("DESCRIBE wdt:P19") if "label" in str(triple.predicate)] == [
        '"place of birth"'
    ]


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
def test_the_keyword_for_other_servers_is_named(query, store):
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


def test_triple_terms_arrive(store):
    (row,) = store.query("SELECT ?t { ?edge rdf:reifies ?t FILTER(PREDICATE(?t) = wdt:P19) }")
    assert row["t"].predicate.value == "http://www.wikidata.org/prop/direct/P19"


@pytest.mark.parametrize(
    ("query", "form", "media_type", "begin"),
    [
        ("SELECT ?x { ?x a ?y }", "solutions", "text/csv", b"x\r\n"),
        ("ASK {}", "boolean", "application/sparql-results+xml", b"<?xml"),
        ("DESCRIBE wdt:P19", "graph", "application/rdf+xml", b"<?xml"),
        ("DESCRIBE wdt:P19", "graph", None, b""),
    ],
)
def test_answers_are_serialized_as_wanted(query, form, media_type, begin, store):
    answer = store.serialize(query, {form: media_type})
    assert (answer.form, answer.media_type) == (form, media_type)
    with answer.body as body:
        assert body.read().startswith(begin)


def test_the_size_is_that_of_the_file(store, tmp_path):
    RdfWriter("ntriples").write(small_graph().write(tmp_path), tmp_path / "graph.nt", SCHEMA)
    assert len(store) == len((tmp_path / "graph.nt").read_text().splitlines())


def test_a_graph_that_was_built_again_is_loaded_anew(tmp_path):
    small_graph().write(tmp_path)
    with SparqlStore(tmp_path, SCHEMA) as opened:
        before = len(opened)
        graph = small_graph()
        graph.nodes.append(make_node("New"))
        graph.write(tmp_path)
        opened.refresh()
        assert len(opened) > before
        assert opened.query('ASK { ?x rdfs:label "New" }')


NESTED = {
    "braces": "SELECT * {" + "{" * 4000 + "}" * 4000 + "}",
    "parentheses": "SELECT * { FILTER(" + "(" * 8000 + "1" + ")" * 8000 + ") }",
    "lists": "SELECT * { ?a ?b " + "(" * 5000 + ")" * 5000 + " }",
    "paths": "SELECT * { ?a " + "(" * 5000 + "<x:p>" + ")*" * 5000 + " ?b }",
    "triple terms": "SELECT * { ?a ?b " + "<<( ?x ?y " * 3000 + "?z" + " )>>" * 3000 + " }",
}
CHAINS = {
    "negations": "SELECT * { FILTER(" + "!" * 16000 + "true) }",
    "sums": "SELECT (1" + "+1" * 100_000 + " AS ?x) {}",
    "optionals": "SELECT * {" + " OPTIONAL { ?a ?b ?c }" * 20_000 + "}",
    "unions": "SELECT * { {}" + " UNION {}" * 50_000 + "}",
    "patterns": "SELECT * {" + "?a ?b ?c . " * 50_000 + "}",
    "bindings": "SELECT * {" + "".join(f"BIND({number} AS ?x{number}) " for number in range(20_000)) + "}",
    "path steps": "SELECT * { ?a <x:p>" + "/<x:p>" * 50_000 + " ?b }",
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limited")
    random_graph(300, 1500).write(folder)
    with SparqlStore(folder, SCHEMA, QueryLimits(seconds=2, memory=2**28, answer=2**20)) as opened:
        yield opened


@pytest.mark.parametrize("shape", NESTED)
def test_deep_nesting_is_refused_before_it_is_parsed(shape, limited):
    with pytest.raises(QueryError, match="nested too deeply: brackets may be nested 250 deep"):
        limited.query(NESTED[shape])


@pytest.mark.parametrize("shape", CHAINS)
def test_a_long_chain_costs_itself_and_nothing_else(shape, limited):
    try:
        limited.query(CHAINS[shape])
    except QueryError as error:
        assert "\n" not in str(error)
    assert limited.query("ASK {}")


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?f", (QueryTimeout, QueryCrash)),
        ("SELECT (COUNT(DISTINCT *) AS ?n) { ?a ?b ?c . ?d ?e ?f }", (QueryTimeout, QueryCrash)),
        ("SELECT * { ?a ?b ?c . ?d ?e ?f }", AnswerTooLarge),
        ("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", QueryTimeout),
    ],
)
def test_an_excessive_query_costs_itself_and_nothing_else(query, errors, limited):
    with pytest.raises(errors) as caught:
        limited.query(query)
    assert "\n" not in str(caught.value)
    assert limited.query("ASK {}")


def test_an_unknown_function_is_an_error_of_the_query(store):
    with pytest.raises(QueryError, match="function <x:f> is not supported"):
        store.query("SELECT (<x:f>(1) AS ?x) {}")


def test_the_limit_of_memory_holds_in_a_process_that_can_open_no_file(tmp_path):
    random_graph(300, 1500).write(tmp_path)
    crossed = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?f"
    with (
        SparqlStore(tmp_path, SCHEMA, QueryLimits(seconds=60, memory=2**26)) as opened,
        pytest.raises(QueryError, match=r"more memory than the 0\.1 GB"),
    ):
        opened.query(crossed)
