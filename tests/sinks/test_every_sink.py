"""What every sink must pass: the graph read back by other means is the graph of the tables, whatever it holds."""

import os
import random
import signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import parse_relation_schema
from sinks import WRITERS, RdfWriter, TableError
from tests.disks import disk
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


# Every format as it comes, and the forms of RDF that options give.
SINKS = {
    **WRITERS,
    "ntriples 1.1": RdfWriter("ntriples", "1.1"),
    "turtle 1.1": RdfWriter("turtle", "1.1"),
    "nquads, gzip, 3 parts": RdfWriter("nquads", parts=3, compression="gzip"),
    "turtle, zstd": RdfWriter("turtle", compression="zstd"),
    "jsonld, 4 parts": RdfWriter("jsonld", parts=4),
}


@pytest.fixture(params=sorted(SINKS))
def sink(request):
    return request.param


def reader(sink):
    return READERS[SINKS[sink].name]


def check(sink, graph: Graph, folder, schema=SCHEMA):
    """Write a graph and compare what can be read back with it; return the counts."""
    target = folder / SINKS[sink].file
    counts = SINKS[sink].write(graph.write(folder), target, schema)
    reader(sink).read(target).check(content(graph, reader(sink).knowledge_base))
    assert (counts["nodes"], counts["edges"]) == (len(graph.nodes), len(graph.edges))
    assert sorted(path.name for path in folder.iterdir()) == sorted(["tables", target.name]), "a draft was left behind"
    return counts


def snapshot(target):
    """The bytes of a file, or of all files of a folder."""
    return (
        {path.name: path.read_bytes() for path in sorted(target.iterdir())} if target.is_dir() else target.read_bytes()
    )


def test_every_sink_can_be_read_back():
    assert READERS.keys() == WRITERS.keys()
    assert all(writer.name == name for name, writer in WRITERS.items())
    assert len({writer.file for writer in WRITERS.values()}) == len(WRITERS)


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


@pytest.fixture(scope="module")
def large():
    return random_graph(20_000, 100_000)


# Millions of triples take long to read back: lines (N-Quads), blocks (Turtle, of RDF 1.1) and JSON-LD are enough.
_ENOUGH = {"ntriples", "ntriples 1.1", "trig", "turtle", "turtle, zstd", "jsonld", "nquads, gzip, 3 parts"}


@pytest.mark.parametrize("sink", sorted(SINKS.keys() - _ENOUGH))
def test_hundred_thousand_edges(sink, large, tmp_path):
    check(sink, large, tmp_path)


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
    target = tmp_path / SINKS[sink].file
    before = snapshot(target)
    broken = small_graph()
    stranger = make_edge(make_node("X"), "P17", make_node("Y"))
    state(
        Graph([make_node("X"), make_node("Y")], evidence=broken.evidence, documents=broken.documents), stranger, "d:1"
    )
    with pytest.raises(TableError, match=f"evidence names the edge '{stranger.id}'"):
        SINKS[sink].write(broken.write(tmp_path), target, SCHEMA)
    assert snapshot(target) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["tables", target.name])


def test_relation_that_the_schema_lacks(sink, tmp_path):
    a, b = make_node("A"), make_node("B")
    graph = Graph([a, b], [make_edge(a, "P0", b)])
    with pytest.raises(TableError, match=r"relation 'P0', which the relation schema 'docred' lacks.*name the schema"):
        SINKS[sink].write(graph.write(tmp_path), tmp_path / "out", SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


@pytest.fixture
def small_disk(sink, tmp_path):
    """A folder on a disk of its own, with room for a small graph: the database has pages for every relation."""
    with disk(tmp_path / "disk", "3000k" if sink == "cypher" else "600k") as folder:
        yield folder


def test_full_disk(sink, tmp_path, small_disk):
    large = random_graph(1_200, 9_000).write(tmp_path / "large")
    small = small_graph().write(tmp_path / "small")
    target = small_disk / SINKS[sink].file
    SINKS[sink].write(small, target, SCHEMA)
    before = snapshot(target)
    with pytest.raises(OSError, match=r"(?i)space|room"):
        SINKS[sink].write(large, target, SCHEMA)
    assert snapshot(target) == before
    assert [path.name for path in small_disk.iterdir()] == [target.name]
    SINKS[sink].write(small, target, SCHEMA)
    reader(sink).read(target).check(content(small_graph(), reader(sink).knowledge_base))


def test_a_killed_writer_leaves_the_old_graph_and_the_next_one_ends_the_work(sink, tmp_path):
    tables = random_graph(300, 1_000).write(tmp_path / "new")
    target = tmp_path / SINKS[sink].file
    SINKS[sink].write(small_graph().write(tmp_path / "old"), target, SCHEMA)
    before = snapshot(target)
    child = os.fork()
    if not child:
        # A write in the middle of the work is the last thing that this process does.
        os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
        SINKS[sink].write(tables, target, SCHEMA)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert snapshot(target) == before
    SINKS[sink].write(tables, target, SCHEMA)
    reader(sink).read(target).check(content(random_graph(300, 1_000), reader(sink).knowledge_base))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(max_size=40) | st.sampled_from(ODD_NAMES), min_size=2, max_size=40, unique=True))
def test_any_names(sink, names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    check(sink, odd_graph(names, schema=TINY), folder, TINY)
