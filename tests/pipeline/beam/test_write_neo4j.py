import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.beam import write_neo4j as module
from pipeline.beam.write_neo4j import WriteNeo4j
from sinks import WriteError
from tests.sinks.graphs import SCHEMA, random_graph, small_graph
from tests.sinks.neo4j_content import assert_holds


def write(graph, server, folder, writers):
    tables = graph.write(folder)
    counts = {name: len(getattr(graph, name)) for name in ("nodes", "edges", "documents")}
    with beam.Pipeline("FnApiRunner") as pipeline:
        done = pipeline | WriteNeo4j(str(tables.folder), server.uri, SCHEMA, writers)
        assert_that(done, equal_to([counts]))


@pytest.mark.server
def test_many_workers_leave_what_one_leaves_and_again_and_after_a_change(neo4j_server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROWS_PER_PIECE", 50)
    graph = random_graph(120, 400)
    for wanted, writers in ((graph, 2), (graph, 1), (small_graph(), None)):
        write(wanted, neo4j_server, tmp_path, writers)
        assert_holds(neo4j_server, wanted)
        with neo4j_server.connect() as driver:
            (digests,) = driver.execute_query("MATCH (d:FactmillDigests) RETURN d").records
        assert digests["d"].keys() == {"form", "run", "nodes", "edges", "heads", "documents"}


def test_a_server_that_is_not_there_is_told_early(tmp_path, monkeypatch):
    monkeypatch.setenv("NEO4J_PASSWORD", "secret-of-mine")
    server = type("Nowhere", (), {"uri": "bolt://127.0.0.1:9"})
    with pytest.raises(Exception, match="no Neo4j server answers at") as caught:
        write(small_graph(), server, tmp_path, 1)
    assert "secret-of-mine" not in str(caught.value)
    assert WriteError.__name__ in str(caught.value) or isinstance(caught.value, WriteError)


def test_pieces_cover_all_ids(monkeypatch):
    monkeypatch.setattr(module, "_ROWS_PER_PIECE", 10)
    pieces = module._pieces(65)
    assert len(pieces) == 7
    assert (pieces[0][0], pieces[-1][1]) == ("0000", "g")
    assert [last for _, last in pieces[:-1]] == [first for first, _ in pieces[1:]]
