import csv
import io
import json

import pytest
from click.testing import CliRunner

from runners.cli.main import main
from runners.cli.query import parse_parameter
from runners.errors import UserError

EDGES = "MATCH (a)-[r]->(b) RETURN a.name AS head, r.confidence AS sure, b.aliases AS names ORDER BY r.id LIMIT 3"


def query(out, *args):
    return CliRunner().invoke(main, ["query", str(out), *args])


def test_json_is_a_list_of_objects(built):
    result = query(built[0], EDGES, "--json")
    rows = json.loads(result.stdout)
    assert len(rows) == 3
    assert all(list(row) == ["head", "sure", "names"] and isinstance(row["names"], list) for row in rows)


def test_csv_has_a_header_and_the_same_rows(built):
    rows = json.loads(query(built[0], EDGES, "--json").stdout)
    lines = list(csv.DictReader(io.StringIO(query(built[0], EDGES, "--csv").stdout)))
    assert [line["head"] for line in lines] == [row["head"] for row in rows]
    assert [float(line["sure"]) for line in lines] == [row["sure"] for row in rows]
    assert [json.loads(line["names"]) for line in lines] == [row["names"] for row in rows]


def test_the_table_shows_every_row_and_counts_them(built):
    rows = json.loads(query(built[0], EDGES, "--json").stdout)
    text = query(built[0], EDGES).stdout
    assert all(row["head"] in text for row in rows)
    assert text.endswith("3 rows\n")


def test_no_rows_is_an_answer(built):
    result = query(built[0], "MATCH (a) WHERE a.name = $name RETURN a.id", "--param", "name=Nobody")
    assert result.exit_code == 0
    assert result.stdout.endswith("0 rows\n")
    assert query(built[0], "MATCH (a) WHERE a.name = 'x' RETURN a.id", "--json").stdout == "[]\n"


def test_parameters_reach_the_query(built):
    result = query(
        built[0], "RETURN $name AS name, $count + 1 AS count", "--param", "name=O'Neil", "--param", "count=4"
    )
    assert "O'Neil" in result.stdout
    assert "5" in result.stdout


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        ("a=1", ("a", 1)),
        ("a=x=y", ("a", "x=y")),
        ("$a=[1, 2]", ("a", [1, 2])),
        ("a=", ("a", "")),
        ('a="1"', ("a", "1")),
        ("a=null", ("a", None)),
        ("a:string=1934", ("a", "1934")),
        ("$a:int=07", ("a", 7)),
        ("a:float=7", ("a", 7.0)),
        ("a:bool=True", ("a", True)),
        ("a:json={}", ("a", {})),
        ("a:string=x:y=z", ("a", "x:y=z")),
    ],
)
def test_parameter_values_are_json_or_text(given, parsed):
    assert parse_parameter(given) == parsed


@pytest.mark.parametrize("given", ["a", "=1", "a b=1", ""])
def test_a_parameter_without_a_name_is_a_mistake(given):
    with pytest.raises(UserError, match="--param takes NAME=VALUE"):
        parse_parameter(given)


@pytest.mark.parametrize(
    ("given", "message"), [("a:date=1", "no type 'date': use one of string, int"), ("a:int=x", "'x' is no int")]
)
def test_a_value_that_is_not_of_its_type_is_a_mistake(given, message):
    with pytest.raises(UserError, match=message):
        parse_parameter(given)


def test_a_number_stands_for_a_text_where_the_query_needs_one(built):
    by_name = "MATCH (a) WHERE a.name = $year RETURN count(*) AS n"
    for given in ("year=1934", "year:string=1934", 'year="1934"', "year=1.5", "year=true"):
        result = query(built[0], by_name, "--param", given, "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (0, [{"n": 0}]), result.output
    both = "MATCH (a) WHERE a.support >= $least AND a.name STARTS WITH $year RETURN count(*) AS n"
    result = query(built[0], both, "--param", "least=1", "--param", "year=19", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [{"n": 0}]), result.output


def test_a_query_that_no_type_mends_fails_for_its_own_reason(built):
    result = query(built[0], "MATCH (a) WHERE a.colour = $x RETURN a", "--param", "x=1")
    assert result.exit_code == 2
    assert "no property 'colour'" in result.stderr


def test_names_cannot_steer_the_terminal(built):
    result = query(built[0], "RETURN $name AS name", "--param", "name=a\x1b[2Jb\x9bc\u202ed\n[bold]e[/bold]")
    assert "a\\x1b[2Jb\\x9bc\\u202ed [bold]e[/bold]" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("cypher", "message"),
    [
        ("MATCH (a RETURN a", "cannot be read"),
        ("", "the query is empty"),
        ("CREATE (:Chemical {id: 'x'})", "reads"),
        ("MATCH (a:Planet) RETURN a", "no label or relationship type 'Planet'"),
        ("RETURN $x", "$x"),
    ],
)
def test_a_wrong_query_is_explained(built, cypher, message):
    result = query(built[0], cypher)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_folder_without_a_graph_is_a_mistake(tmp_path):
    result = query(tmp_path, "MATCH (a) RETURN a")
    assert result.exit_code == 2
    assert "build a graph first" in result.stderr
