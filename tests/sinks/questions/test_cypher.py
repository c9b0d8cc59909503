import json

import pytest

from sinks import QueryError, query
from sinks.questions.cypher_engine import column_names


def test_columns_are_named_as_the_query_writes_them(small_folder):
    result = query(
        small_folder,
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


def test_nodes_relationships_and_paths_are_plain_dictionaries(small_folder):
    result = query(small_folder, "MATCH p = (a)-[r:FATHER]->(b) RETURN a, r, p")
    node, relationship, path = result.rows[0]
    assert node["_label"] == "PER"
    assert node["aliases"] == ["Ada", "Ada Lovelace", "Countess of Lovelace"]
    assert relationship["_label"] == "FATHER"
    assert relationship["confidence"] == 0.5
    assert path == {"nodes": [node, {**path["nodes"][1], "name": "Lord Byron"}], "relationships": [relationship]}
    assert not {"_ID", "_SRC", "_DST", "_LABEL"} & {*node, *relationship}
    assert json.loads(json.dumps(result.rows)) == [[node, relationship, path]]


def test_every_kind_of_value_fits_json(small_folder):
    cypher = (
        "MATCH (n {name: 'London'}) RETURN 1.0 / 0, cast('3' AS INT128), date('2020-01-31'), "
        "timestamp('2020-01-31 10:00:00'), interval('3 days'), encode('ab'), id(n), null, true, [1.5], {a: 1}"
    )
    row = query(small_folder, cypher).rows[0]
    assert row[:6] == ("inf", 3, "2020-01-31", "2020-01-31T10:00:00", "3 days, 0:00:00", "6162")
    assert row[7:] == (None, True, [1.5], {"a": 1})
    assert isinstance(row[6], str)
    json.dumps(row, allow_nan=False)


def test_parameters_are_values_never_text_of_the_query(small_folder):
    cypher = "MATCH (n) WHERE n.name = $name RETURN n.name"
    assert query(small_folder, cypher, {"name": "London"}).rows == [("London",)]
    assert query(small_folder, cypher, {"name": "London' OR '1' = '1"}).rows == []
    assert query(small_folder, "RETURN $x, '$y'", {"x": [1, 2]}).rows == [([1, 2], "$y")]


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
def test_mistakes_are_explained_in_one_line(cypher, message, small_folder):
    with pytest.raises(QueryError, match=message) as caught:
        query(small_folder, cypher)
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


def test_quotes_hide_what_looks_like_code(small_folder):
    for name in ("a; b", "$x", "CREATE", "// no comment", "it\\'s"):
        assert query(small_folder, f"MATCH (n {{name: '{name}'}}) RETURN n.name").rows == []


def test_a_missing_or_broken_database_is_named(tmp_path):
    with pytest.raises(QueryError, match=r"no database '.*graph.db': build a graph first"):
        query(tmp_path, "MATCH (n) RETURN n")
    (tmp_path / "graph.db").write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(QueryError, match=r"graph.db' cannot be opened as a graph \(.*\): build it again"):
        query(tmp_path, "MATCH (n) RETURN n")
