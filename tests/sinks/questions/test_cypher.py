import json

import pytest

from sinks import CypherWriter, QueryError, query
from sinks.questions.cypher import CypherDatabase
from sinks.questions.cypher_engine import column_names
from sinks.questions.query_limits import AnswerTooLarge, QueryCrash, QueryLimits, QueryTimeout
from tests.sinks.graphs import SCHEMA, make_node, small_graph


@pytest.fixture(scope="module")
def database(small_folder):
    with CypherDatabase(small_folder) as opened:
        yield opened


def test_columns_are_named_as_the_query_writes_them(database):
    result = database.query(
        "MATCH (a)-[r]->(b) RETURN DISTINCT label(r), a.name AS head, count(*) as `how many`, 'x, RETURN y' "
        "ORDER BY head, label(r) LIMIT 1",
    )
    assert result.columns == ("label(r)", "head", "how many", "'x, RETURN y'")
    assert result.rows == [("FATHER", "Ada Lovelace", 1, "x, RETURN y")]


@pytest.mark.parametrize(
    ("cypher", "given", "columns"),
    [
        ("MATCH (n) RETURN *", ["n"], ("n",)),
        ("RETURN cast('1' AS INT64)", ["x"], ("cast('1' AS INT64)",)),
        ("RETURN 1 AS a UNION RETURN 2 AS a", ["x"], ("a",)),
        ("RETURN [1, 2], {a: 3}", ["x", "y"], ("[1, 2]", "{a: 3}")),
        ("MATCH (n) WHERE EXISTS { MATCH (n)-->(m) RETURN m.name, 1 } RETURN n.name", ["x"], ("n.name",)),
        ("RETURN 1 // , 2", ["x"], ("1 // , 2",)),
        ("CALL show_tables()", ["id", "name"], ("id", "name")),
        ("RETURN 1, 2", ["only"], ("only",)),
        ("MATCH (n) RETURN n.name;", ["x"], ("n.name",)),
    ],
)
def test_names_of_columns(cypher, given, columns):
    assert column_names(cypher, given) == columns


def test_nodes_relationships_and_paths_are_plain_dictionaries(database):
    result = database.query("MATCH p = (a)-[r:FATHER]->(b) RETURN a, r, p")
    node, relationship, path = result.rows[0]
    assert node["_label"] == "PER"
    assert node["aliases"] == ["Ada", "Ada Lovelace", "Countess of Lovelace"]
    assert relationship["_label"] == "FATHER"
    assert relationship["confidence"] == 0.5
    assert path == {"nodes": [node, {**path["nodes"][1], "name": "Lord Byron"}], "relationships": [relationship]}
    assert not {"_ID", "_SRC", "_DST", "_LABEL"} & {*node, *relationship}
    assert json.loads(json.dumps(result.rows)) == [[node, relationship, path]]


def test_every_kind_of_value_fits_json(database):
    cypher = (
        "MATCH (n {name: 'London'}) RETURN 1.0 / 0, cast('3' AS INT128), date('2020-01-31'), "
        "timestamp('2020-01-31 10:00:00'), interval('3 days'), encode('ab'), id(n), null, true, [1.5], {a: 1}"
    )
    row = database.query(cypher).rows[0]
    assert row[:6] == ("inf", 3, "2020-01-31", "2020-01-31T10:00:00", "3 days, 0:00:00", "6162")
    assert row[7:] == (None, True, [1.5], {"a": 1})
    assert isinstance(row[6], str)
    json.dumps(row, allow_nan=False)


def test_parameters_are_values_never_text_of_the_query(database):
    cypher = "MATCH (n) WHERE n.name = $name RETURN n.name"
    assert database.query(cypher, {"name": "London"}).rows == [("London",)]
    assert database.query(cypher, {"name": "London' OR '1' = '1"}).rows == []
    assert database.query("RETURN $x, '$y'", {"x": [1, 2]}).rows == [([1, 2], "$y")]


@pytest.mark.parametrize(
    ("cypher", "message"),
    [
        ("", "the query is empty: try 'MATCH"),
        ("  // only a comment", "the query is empty"),
        ("CREATE (:PER {id: '1'})", "a query only reads: it begins with MATCH, .*not with 'CREATE'"),
        ("COPY (MATCH (n) RETURN n.id) TO 'x.csv'", "not with 'COPY'"),
        ("LOAD FROM 'x.csv' RETURN *", "not with 'LOAD'"),
        ("MATCHES (n)", "not with 'MATCHES'"),
        ("MATCH (n) SET n.name = 'x'", "this one writes"),
        ("MATCH (n) DELETE n", "this one writes"),
        ("MATCH (n) RETURN n; COPY x TO 'y'", "one query at a time"),
        ("MATCH (n {name: $name}) RETURN n", r"uses \$name, and no value was given"),
        ("MATCH (n:Entity) RETURN n", r"one label here, .*name some, \(n:LOC\|MISC\|NUM"),
        (
            "MATCH (n:Person) RETURN n",
            "no label or relationship type 'Person'. Labels: LOC, MISC, NUM, ORG, PER, TIME, Document",
        ),
        ("MATCH ()-[:BIRTHPLACE]->() RETURN 1", "closest of 96 relationship types: .*PLACE_OF_BIRTH"),
        (
            "MATCH (n) RETURN n.nam",
            "'n' has no property 'nam'. Nodes have id, name, .*relationships have id, .*documents have key, id",
        ),
        ("MATCH p = shortestPath((a)-[*]-(b)) RETURN p", r"write MATCH p = \(a\)-\[\* SHORTEST 1..6\]-\(b\)"),
        ("MATCH p = (a)-[*1..2]-(b) RETURN [n IN nodes(p) | n.name]", r"write properties\(nodes\(p\), 'name'\)"),
        ("MATCH (n) RETURN elementId(n)", r"no function elementid\(\)"),
        ("MATCH (n:PER\nRETURN n", "cannot be read at 'RETURN n' in line 2, column 1"),
        ("MATCH (n) RETURN", "cannot be read at its end"),
        ("MATCH (n) RETURN m", "m is not in scope"),
        ("MATCH (n) WHERE n.name = 3 RETURN n", "cannot be answered: .*INT64"),
        ("RETURN '\ud800'", "half of a surrogate pair"),
    ],
)
def test_mistakes_are_explained_in_one_line(cypher, message, database):
    with pytest.raises(QueryError, match=message) as caught:
        database.query(cypher)
    assert "\n" not in str(caught.value)
    assert "exception" not in str(caught.value).lower()


def test_a_query_never_writes(small_folder, tmp_path):
    before = (small_folder / "graph.db").read_bytes()
    for cypher in (
        "MATCH (n) DETACH DELETE n",
        f"COPY (MATCH (n) RETURN n.id) TO '{tmp_path}/x.csv'",
        "DROP TABLE PER",
    ):
        with pytest.raises(QueryError):
            query(small_folder, cypher)
    assert (small_folder / "graph.db").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_quotes_hide_what_looks_like_code(database):
    for name in ("a; b", "$x", "CREATE", "// no comment", "it\\'s"):
        assert database.query(f"MATCH (n {{name: '{name}'}}) RETURN n.name").rows == []


def test_a_missing_or_broken_database_is_named(tmp_path):
    with pytest.raises(QueryError, match=r"no database '.*graph.db': build a graph first"):
        query(tmp_path, "MATCH (n) RETURN n")
    (tmp_path / "graph.db").touch()
    with pytest.raises(QueryError, match=r"graph.db' is empty: build the graph again"):
        query(tmp_path, "MATCH (n) RETURN n")
    (tmp_path / "graph.db").write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(QueryError, match=r"graph.db' cannot be opened as a graph \(.*\): build it again"):
        query(tmp_path, "MATCH (n) RETURN n")


SECRET = "the secret of another file"


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "secret.csv"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.mark.parametrize(
    "cypher",
    [
        "WITH 1 AS x LOAD FROM '{}' (file_format='csv', header=false) RETURN *",
        "WITH 1 AS x LOAD/* */FROM '{}' (file_format='csv', header=false) RETURN *",
        "WITH 1 AS x LOAD //x\nFROM '{}' (file_format='csv', header=false) RETURN *",
        "MATCH (n) LOAD FROM '{}' (file_format='csv', header=false) RETURN * LIMIT 1",
        "UNWIND [1] AS x LOAD FROM '{}' RETURN *",
        "RETURN 1 UNION ALL LOAD FROM '{}' (file_format='csv', header=false) RETURN *",
        "WITH 1 AS x LOAD FROM $path RETURN *",
        "MATCH (n) WHERE EXISTS {{ LOAD FROM '{}' RETURN 1 }} RETURN n",
        "CALL READ_CSV_SERIAL('{}') RETURN *",
        "CALL `READ_CSV_PARALLEL`('{}') RETURN *",
        "CALL READ_NPY('{}') RETURN *",
        "MATCH (n) WITH n COPY PER FROM '{}'",
        "WITH 1 AS x ATTACH '{}' AS other (dbtype lbug)",
        "WITH 1 AS x INSTALL httpfs",
        "WITH 1 AS x EXPORT DATABASE '{}.copy'",
        "WITH 1 AS x IMPORT DATABASE '{}'",
    ],
)
@pytest.mark.parametrize("seen", [True, False])
def test_no_other_file_is_read_whether_the_words_are_seen_or_not(cypher, seen, secret, small_folder, monkeypatch):
    cypher = cypher.format(secret)
    limits = QueryLimits(seconds=10)
    engine = "sinks.questions.cypher_engine:CypherEngine" if seen else "tests.sinks.questions.engines:BlindCypherEngine"
    monkeypatch.setattr("sinks.questions.cypher._ENGINE", engine)
    with CypherDatabase(small_folder, limits) as opened, pytest.raises(QueryError) as caught:
        rows = opened.query(cypher, {"path": str(secret)}).rows
        pytest.fail(f"answered with {rows}")
    assert SECRET not in str(caught.value)
    assert sorted(path.name for path in secret.parent.iterdir()) == ["secret.csv"]


@pytest.mark.parametrize(
    ("cypher", "errors"),
    [
        ("RETURN " + "(" * 20_000 + "1" + ")" * 20_000, QueryError),
        ("RETURN " + "1 + " * 30_000 + "1", (QueryTimeout, QueryCrash)),
        ("UNWIND range(1, 10000000000) AS x RETURN count(x)", (QueryTimeout, QueryCrash, QueryError)),
        ("MATCH (a)-[*1..30]-(b), (c)-[*1..30]-(d), (e)-[*1..30]-(f) RETURN count(*)", (QueryTimeout, QueryError)),
        ("CALL `READ_PARQUET`('x.parquet') RETURN *", (QueryCrash, QueryError)),
        ("UNWIND range(1, 3000000) AS x RETURN x, 'some text that makes the answer large'", AnswerTooLarge),
    ],
)
def test_an_excessive_query_costs_itself_and_nothing_else(cypher, errors, small_folder):
    with CypherDatabase(small_folder, QueryLimits(seconds=2, memory=2**28, answer=2**20)) as opened:
        with pytest.raises(errors) as caught:
            opened.query(cypher)
        assert "\n" not in str(caught.value)
        assert opened.query("RETURN 1").rows == [(1,)]


def test_a_graph_that_was_built_again_is_opened_anew(tmp_path):
    graph = small_graph()
    with_more = small_graph()
    with_more.nodes.append(make_node("New"))
    count = "MATCH (n) WHERE n.name IS NOT NULL RETURN count(*)"
    CypherWriter().write(graph.write(tmp_path), tmp_path / "graph.db", SCHEMA)
    with CypherDatabase(str(tmp_path)) as opened:
        assert opened.query(count).rows == [(len(graph.nodes),)]
        CypherWriter().write(with_more.write(tmp_path), tmp_path / "graph.db", SCHEMA)
        assert opened.query(count).rows == [(len(graph.nodes) + 1,)]


def test_values_that_json_lacks_are_refused_with_a_remedy(database):
    with pytest.raises(QueryError, match=r"value of \$x is no text.*write date\('2020-01-31'\)"):
        database.query("RETURN $x", {"x": object()})
