"""What every sink must pass: the graph read back by other means is the graph of the tables, whatever it holds."""

import os
import random
import resource
import signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import parse_relation_schema
from sinks import WRITERS, TableError
from tests.sinks.graphs import (
    ODD_NAMES,
    SCHEMA,
    Graph,
    make_edge,
    make_node,
    odd_graph,
    random_graph,
    small_graph,
    state,
)
from tests.sinks.readers import READERS, content

ODD_TYPES = (
    "a.b",
    "per",
    "PER",
    "Robert'); DROP",
    "`",
    "COUNTRY",
    "country",
    "שם",
    "",
    "x" * 300,
    "NUL\0",
    "new\nline",
)


TINY = parse_relation_schema(
    "name: tiny\nentity_types: [PER, LOC]\nrelations:\n"
    + "".join(f"  - {{id: {r.id}, label: {r.label}, iri: '{r.iri}'}}\n" for r in SCHEMA.relations[:2])
)


@pytest.fixture(params=sorted(WRITERS))
def sink(request):
    return request.param


def check(sink, graph: Graph, folder, schema=SCHEMA):
    """Write a graph and compare what can be read back with it; return the counts."""
    target = folder / WRITERS[sink].file
    counts = WRITERS[sink].write(graph.write(folder), target, schema)
    reader = READERS[sink]
    read, wanted = reader.read(target), content(graph, reader.knowledge_base)
    assert read.nodes == wanted.nodes
    assert read.edges == wanted.edges
    assert (counts["nodes"], counts["edges"]) == (len(graph.nodes), len(graph.edges))
    assert sorted(path.name for path in folder.iterdir()) == sorted(["tables", target.name]), "a draft was left behind"
    return counts


def test_every_sink_can_be_read_back():
    assert READERS.keys() == WRITERS.keys()
    assert all(writer.name == name for name, writer in WRITERS.items())


def test_empty_graph(sink, tmp_path):
    check(sink, Graph(), tmp_path)


def test_one_node(sink, tmp_path):
    check(sink, Graph([make_node("Alone")]), tmp_path)


def test_small_graph(sink, tmp_path):
    check(sink, small_graph(), tmp_path)


def test_edge_without_evidence_and_parallel_edges_and_a_pair_in_both_directions(sink, tmp_path):
    a, b = make_node("A"), make_node("B", "LOC")
    graph = Graph([a, b], [make_edge(a, "P19", b), make_edge(a, "P20", b), make_edge(b, "P19", a)])
    check(sink, graph, tmp_path)


def test_odd_names(sink, tmp_path):
    check(sink, odd_graph(), tmp_path)


def test_odd_types(sink, tmp_path):
    check(sink, odd_graph(types=ODD_TYPES), tmp_path)


def test_every_unicode_plane(sink, tmp_path):
    chance = random.Random(3)
    letters = [chr(chance.randrange(plane << 16, (plane << 16) + 0xD800)) for plane in range(17) for _ in range(60)]
    names = ["".join(letters[start : start + 12]) for start in range(0, len(letters), 12)]
    check(sink, odd_graph([*map(chr, range(256)), *names], schema=TINY), tmp_path, TINY)


def test_hundred_thousand_edges(sink, tmp_path):
    check(sink, random_graph(20_000, 100_000), tmp_path)


def test_writing_again_gives_the_same_graph_and_replaces_another(sink, tmp_path):
    check(sink, random_graph(50, 60), tmp_path)
    check(sink, small_graph(), tmp_path)
    check(sink, small_graph(), tmp_path)


def test_change_of_a_document_leaves_what_a_fresh_write_gives(sink, tmp_path):
    graph = small_graph()
    check(sink, graph, tmp_path)
    changed = Graph(graph.nodes[:3], graph.edges[:1], documents=graph.documents)
    state(changed, graph.edges[0], "pubmed:1")
    check(sink, changed, tmp_path)


def test_failure_half_way_leaves_the_old_file(sink, tmp_path):
    check(sink, small_graph(), tmp_path)
    target = tmp_path / WRITERS[sink].file
    before = target.read_bytes()
    broken = small_graph()
    stranger = make_edge(make_node("X"), "P17", make_node("Y"))
    state(
        Graph([make_node("X"), make_node("Y")], evidence=broken.evidence, documents=broken.documents), stranger, "d:1"
    )
    with pytest.raises(TableError, match=f"evidence names the edge '{stranger.id}'"):
        WRITERS[sink].write(broken.write(tmp_path), target, SCHEMA)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["tables", target.name])


def test_relation_that_the_schema_lacks(sink, tmp_path):
    a, b = make_node("A"), make_node("B")
    graph = Graph([a, b], [make_edge(a, "P0", b)])
    with pytest.raises(TableError, match=r"relation 'P0', which the relation schema 'docred' lacks.*name the schema"):
        WRITERS[sink].write(graph.write(tmp_path), tmp_path / "out", SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_full_disk(sink, tmp_path):
    tables = random_graph(300, 1_000).write(tmp_path)
    target = tmp_path / WRITERS[sink].file
    target.write_text("old")
    child = os.fork()
    if not child:  # the limit cannot be taken back, so another process lives with it
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        try:
            WRITERS[sink].write(tables, target, SCHEMA)
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["tables", target.name])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(max_size=40) | st.sampled_from(ODD_NAMES), min_size=2, max_size=40, unique=True))
def test_any_names(sink, names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    check(sink, odd_graph(names, schema=TINY), folder, TINY)
