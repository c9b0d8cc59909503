import csv
import io
import json

import pytest
import rdflib
from click.testing import CliRunner

from runners.cli.main import main
from sinks import GraphTables

EDGES = "SELECT ?a ?sure { ?edge rdf:reifies <<( ?a ?p ?b )>> ; fm:confidence ?sure } ORDER BY ?edge"


def sparql(asked, *args, **options):
    return CliRunner().invoke(main, ["sparql", str(asked[0]), *args], **options)


def test_the_table_shows_prefixed_names_and_counts_rows(asked):
    edges = GraphTables.open(asked[0]).read("edges").to_pylist()
    text = sparql(asked, EDGES).stdout
    assert f"node:{edges[0]['head']}" in text
    assert text.endswith(f"{len(edges):,} rows\n")


def test_json_csv_and_tsv_hold_the_same(asked):
    edges = GraphTables.open(asked[0]).read("edges").to_pylist()
    heads = [f"https://w3id.org/factmill/node/{edge['head']}" for edge in edges]
    found = json.loads(sparql(asked, EDGES, "--json").stdout)
    assert [row["a"]["value"] for row in found["results"]["bindings"]] == heads
    lines = list(csv.DictReader(io.StringIO(sparql(asked, EDGES, "--csv").stdout)))
    assert [line["a"] for line in lines] == heads
    assert [float(line["sure"]) for line in lines] == [edge["confidence"] for edge in edges]
    assert sparql(asked, EDGES, "--tsv").stdout.splitlines()[1].startswith(f"<{heads[0]}>\t")
    assert sparql(asked, EDGES, "--xml").stdout.startswith("<?xml")


def test_ask_construct_and_describe(asked):
    assert sparql(asked, "ASK { ?a fm:confidence ?b }").stdout == "true\n"
    assert json.loads(sparql(asked, "ASK { ?a fm:nothing ?b }", "--json").stdout)["boolean"] is False
    made = sparql(asked, "CONSTRUCT { ?n rdfs:label ?name } WHERE { ?n fm:mentions ?m ; rdfs:label ?name }").stdout
    assert len(rdflib.Graph().parse(data=made, format="turtle")) == GraphTables.open(asked[0]).count("nodes")


def test_a_query_may_come_from_standard_input(asked):
    assert sparql(asked, "-", input="ASK {}").stdout == "true\n"


def test_names_cannot_steer_the_terminal(asked):
    result = sparql(asked, 'SELECT ("a\\u001b[2Jb[bold]" AS ?x) {}')
    assert "a\\x1b[2Jb[bold]" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["SELECT ?x {"], "cannot be read"),
        (["DROP ALL"], "only reads"),
        (["SELECT * { SERVICE <http://x> {} }"], "SERVICE is refused"),
        (["DESCRIBE wdt:P19", "--csv"], "--csv cannot show"),
        (["ASK {}", "--tsv"], "there is no TSV"),
    ],
)
def test_mistakes_are_explained(args, message, asked):
    result = sparql(asked, *args)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_folder_without_a_graph_is_a_mistake(tmp_path):
    result = CliRunner().invoke(main, ["sparql", str(tmp_path), "ASK {}"])
    assert result.exit_code == 2
    assert "build one with 'factmill build" in result.stderr


@pytest.mark.parametrize(
    ("options", "query", "message"),
    [
        (["--timeout", "0.3"], "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", "(--timeout)"),
        (["--answer-size", "1"], "SELECT * { ?a ?b ?c . ?d ?e ?f }", "(--answer-size)"),
    ],
)
def test_a_query_beyond_a_limit_names_the_option_that_raises_it(options, query, message, asked):
    result = CliRunner().invoke(main, ["sparql", str(asked[0]), query, *options])
    assert result.exit_code == 2
    assert result.stderr.strip().endswith(message)
