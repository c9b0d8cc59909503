import json
import os

import networkx as nx
import pytest
import rdflib
from click.testing import CliRunner

from runners.cli.main import main
from sinks import WRITERS, GraphTables, ServerWriter


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_every_format(name, built, tmp_path):
    result = run("export", built[0], "--to", name, "--out", tmp_path / "new" / "graph.x")
    assert result.exit_code == 0, result.output
    edges = GraphTables.open(built[0]).count("edges")
    assert f"{edges:,} edges" in result.stdout
    assert (tmp_path / "new" / "graph.x").exists()
    assert run("export", built[0], "--to", name, "--out", tmp_path / "new" / "graph.x").exit_code == 0


def test_the_result_lies_beside_the_graph_unless_told(built, tmp_path):
    (tmp_path / "people").symlink_to(built[0])
    graph = tmp_path / "people"
    for options, name in (
        (("--to", "graphml"), "graph.graphml"),
        (("--to", "turtle", "--compress", "gzip"), "graph.ttl.gz"),
        (("--to", "rdf", "--parts", "2"), "graph-nq"),
        (("--to", "csv"), "graph-csv"),
    ):
        place = graph.resolve().with_name(name.replace("graph", graph.resolve().name, 1))
        assert str(place) in run("export", graph, *options).stdout
        assert place.exists()


def test_rdf_1_1_comes_with_a_description(built, tmp_path):
    out = tmp_path / "facts.ttl"
    assert run("export", built[0], "--to", "ttl", "--rdf", "1.1", "--out", out).exit_code == 0
    facts = rdflib.Graph().parse(out)
    description = rdflib.Graph().parse(tmp_path / "facts.void.ttl")
    assert rdflib.Literal(len(facts)) in set(description.objects(None, rdflib.VOID.triples))
    sizes = set(description.objects(None, rdflib.DCAT.byteSize))
    assert {int(size) for size in sizes} == {out.stat().st_size}


def test_parts_are_listed_in_the_description(built, tmp_path):
    run("export", built[0], "--to", "ntriples", "--parts", 3, "--compress", "zstd", "--out", tmp_path / "dump")
    description = rdflib.Graph().parse(tmp_path / "dump.void.ttl", publicID="http://example.org/")
    names = sorted(str(name) for name in description.objects(None, rdflib.VOID.dataDump))
    assert [name.rpartition("/")[2] for name in names] == [f"graph-0000{n}-of-00003.nt.zst" for n in range(3)]
    assert all((tmp_path / "dump" / name.rpartition("/")[2]).is_file() for name in names)


def test_files_of_others_are_replaced_when_asked_for_only(built, tmp_path):
    for name, file in (("facts.nt", "facts.nt"), ("facts.nt", "facts.void.ttl")):
        (tmp_path / file).write_text("mine")
        result = run("export", built[0], "--to", "ntriples", "--out", tmp_path / name)
        assert result.exit_code == 2
        assert f"{file}' is a file that factmill did not write" in result.stderr
        assert (tmp_path / file).read_text() == "mine"
        assert run("export", built[0], "--to", "ntriples", "--out", tmp_path / name, "--force").exit_code == 0
        for path in tmp_path.iterdir():
            path.unlink()
    os.mkfifo(tmp_path / "pipe")
    result = run("export", built[0], "--to", "ntriples", "--out", tmp_path / "pipe", "--force")
    assert result.exit_code == 2
    assert "is a device or a pipe" in result.stderr


def test_networkx_reads_what_is_exported(built, tmp_path):
    run("export", built[0], "--to", "node-link", "--out", tmp_path / "graph.json")
    graph = nx.node_link_graph(json.loads((tmp_path / "graph.json").read_text()), edges="edges")
    assert graph.number_of_edges() == GraphTables.open(built[0]).count("edges")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "graphm"), "did you mean 'graphml'?"),
        (("--to", "excel"), "use one of rdf, ntriples"),
        (("--to", "jsonld", "--rdf", "1.2"), "JSON-LD has no triple terms"),
        (("--to", "graphml", "--parts", "3"), "--parts is for RDF"),
        (("--to", "neo4j://localhost:1", "--compress", "gzip"), "--compress is for files"),
        (("--to", "neo4j://localhost:1", "--out", "x"), "--out is for files"),
        (("--to", "csv", "--compare-all"), "--compare-all is for database servers"),
    ],
)
def test_mistakes(options, message, built, tmp_path):
    result = run("export", built[0], *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_folder_that_is_not_ours_stays(built, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    result = run("export", built[0], "--to", "csv", "--out", tmp_path / "mine")
    assert result.exit_code == 2
    assert "not one that an export made" in result.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter"]


def test_a_server_is_chosen_by_the_scheme_of_its_uri(built, monkeypatch):
    class Kept(ServerWriter):
        def write(self, tables, uri, schema):
            return {"nodes": tables.count("nodes"), "compared": int(self.compare_all)}

    monkeypatch.setattr("sinks.neo4j.writer.Neo4jWriter", Kept)
    for options, compared in (((), 0), (("--compare-all",), 1)):
        told = run("export", built[0], "--to", "neo4j+s://example.org", *options).stdout
        assert told.startswith("neo4j+s://example.org: ")
        assert told.endswith(f"{compared} compared\n")


def test_unknown_servers_are_named(built):
    result = run("export", built[0], "--to", "gopher://localhost")
    assert result.exit_code == 2
    assert "'gopher://localhost' is not the URI of a supported database server; use neo4j://" in result.stderr
