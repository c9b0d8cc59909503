"""Against a real server: every load ends in exactly the graph of the tables, whatever was there before."""

import itertools
import multiprocessing
import os
import re
import shutil
import threading
import time
from collections import Counter
from dataclasses import replace

import msgspec
import neo4j
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neo4j.exceptions import IncompleteCommit

from pipeline.build_options import BuildOptions
from pipeline.build_report import BuildReport
from pipeline.record_counts import Counts
from runners.cli.main import main
from sinks import TableError, WriteError
from sinks.neo4j import connection as neo4j_connection
from sinks.neo4j import writer as module
from sinks.neo4j.existing import ExistingElements
from sinks.neo4j.writer import Neo4jWriter
from sinks.property_graph import node_label
from tests.sinks.graphs import ODD_NAMES, SCHEMA, Graph, make_edge, make_node, odd_graph, random_graph, small_graph
from tests.sinks.graphs import state as add_evidence
from tests.sinks.neo4j_content import assert_holds, held, wanted

pytestmark = pytest.mark.server

ODD_TYPES = ("a.b", "Robert'); DROP", "`", "COUNTRY", "שם", "", "x" * 300, "NUL\0", "new\nline", "Entity", "Document")


def load(graph, server, folder, writers=None, compare_all=False):
    return Neo4jWriter(writers, compare_all).write(graph.write(folder), server.uri, SCHEMA)


def ask(server, cypher):
    with server.connect() as driver:
        return [tuple(row.values()) for row in driver.execute_query(cypher).records]


def test_small_graph_and_the_same_again(neo4j_server, tmp_path):
    for _ in range(2):
        counts = load(small_graph(), neo4j_server, tmp_path)
        assert counts == {"nodes": 4, "edges": 2, "documents": 2}
        assert_holds(neo4j_server, small_graph())


class Watched:
    """What a writer reads of the elements that the server holds, and the statements that write some."""

    def __init__(self, patch):
        self.read, self.written = [], []
        patch.setattr(module, "ExistingElements", lambda elements: ExistingElements(self._noted(elements, self.read)))
        write = module.write
        patch.setattr(module, "write", lambda session, work: write(session, self._noted(work, self.written)))

    @staticmethod
    def _noted(items, notes):
        for item in items:
            notes.append(item)
            yield item


def test_what_is_equal_is_neither_read_nor_written_again(neo4j_server, tmp_path, monkeypatch):
    load(small_graph(), neo4j_server, tmp_path)
    watched = Watched(monkeypatch)
    load(small_graph(), neo4j_server, tmp_path)
    assert (watched.read, watched.written) == ([], [])
    load(small_graph(), neo4j_server, tmp_path, compare_all=True)
    assert (len(watched.read), watched.written) == (4 + 2 + 2, [])


def test_empty_graph_and_one_node(neo4j_server, tmp_path):
    for graph in (Graph(), Graph([make_node("Alone")]), Graph()):
        load(graph, neo4j_server, tmp_path)
        assert_holds(neo4j_server, graph)


def test_odd_names_and_types(neo4j_server, tmp_path):
    graph = odd_graph()
    load(graph, neo4j_server, tmp_path)
    assert_holds(neo4j_server, graph)
    graph = odd_graph(types=ODD_TYPES)
    load(graph, neo4j_server, tmp_path)
    # A type that is also a label makes the relationship type give way.
    types = {relation.id: relation.cypher_type + "_" * (relation.id == "P17") for relation in SCHEMA.relations}
    assert_holds(neo4j_server, graph, labels=node_label, types=types.get)
    load(small_graph(), neo4j_server, tmp_path)
    assert_holds(neo4j_server, small_graph())


def test_names_that_are_looked_up_are_indexed_unless_one_is_too_long(neo4j_server, tmp_path):
    indexes = "SHOW INDEXES YIELD name WHERE name STARTS WITH 'factmill' RETURN name ORDER BY name"
    ours = [("factmill_document",), ("factmill_entity",), ("factmill_factmillgraph",)]
    load(odd_graph(), neo4j_server, tmp_path)
    assert ask(neo4j_server, indexes) == ours
    load(small_graph(), neo4j_server, tmp_path)
    assert ask(neo4j_server, indexes) == sorted([*ours, ("factmill_document_id",), ("factmill_entity_name",)])


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(max_size=40) | st.sampled_from(ODD_NAMES), min_size=2, max_size=20, unique=True))
def test_any_names(neo4j_server, names, tmp_path_factory):
    graph = odd_graph(names, schema=SCHEMA)
    load(graph, neo4j_server, tmp_path_factory.mktemp("names"))
    # Half of a surrogate pair is no text: the tables hold U+FFFD for it already.
    assert_holds(neo4j_server, graph)


def test_change_and_removal_of_a_document_leave_what_a_fresh_load_gives(neo4j_server, tmp_path):
    before, after = random_graph(120, 300), random_graph(120, 300, seed=8)
    after.nodes = [*after.nodes[:100], make_node("New", "LOC")]
    kept = {node.id for node in after.nodes}
    after.edges = [edge for edge in after.edges if {edge.head, edge.tail} <= kept]
    ids = {edge.id for edge in after.edges}
    after.evidence = [row for row in after.evidence if row.edge in ids]
    after.documents = after.documents[:20]
    load(before, neo4j_server, tmp_path)
    load(after, neo4j_server, tmp_path)
    assert_holds(neo4j_server, after)


def without(graph, document):
    """The graph as it is when a document is removed, which also was the only one to name a node."""
    evidence = [row for row in graph.evidence if row.document != document]
    support = Counter(row.edge for row in evidence)
    gone = next(row.edge for row in graph.evidence if row.document == document)
    node = next(edge.tail for edge in graph.edges if edge.id == gone)
    edges = [
        msgspec.structs.replace(edge, support=support[edge.id])
        for edge in graph.edges
        if support[edge.id] and node not in (edge.head, edge.tail)
    ]
    left = {edge.id for edge in edges}
    return Graph(
        [each for each in graph.nodes if each.id != node],
        edges,
        [row for row in evidence if row.edge in left],
        [row for row in graph.documents if row.id != document],
    )


def test_only_what_changed_is_read_back(neo4j_server, tmp_path, monkeypatch):
    graph = random_graph(300, 900)
    smaller = without(graph, "wiki:Page 3")
    load(graph, neo4j_server, tmp_path)
    for tonight in (smaller, graph):
        with monkeypatch.context() as patch:
            watched = Watched(patch)
            load(tonight, neo4j_server, tmp_path)
        assert_holds(neo4j_server, tonight)
        assert 0 < len(watched.read) < 300
        assert 0 < sum(len(batch.rows) for batch in watched.written) < 60


@pytest.mark.parametrize("again", [True, False])
def test_a_refresh_that_breaks_off_is_finished_by_the_next(neo4j_server, tmp_path, monkeypatch, again):
    graph = random_graph(300, 900)
    smaller = without(graph, "wiki:Page 3")
    load(graph, neo4j_server, tmp_path)
    write = module.write

    def breaking(session, work):
        for batch in work:
            write(session, [replace(batch, rows=batch.rows[: len(batch.rows) // 2])])
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "write", breaking)
        with pytest.raises(KeyboardInterrupt):
            load(smaller, neo4j_server, tmp_path)
    assert ask(neo4j_server, "MATCH (g:FactmillGraph) RETURN g.complete") == [(False,)]
    assert ask(neo4j_server, "MATCH (d:FactmillDigests) RETURN d") == []
    assert held(neo4j_server)[1] not in (wanted(graph)[1], wanted(smaller)[1])
    load(smaller if again else graph, neo4j_server, tmp_path)
    assert_holds(neo4j_server, smaller if again else graph)


def test_two_runs_at_once_do_not_say_that_what_they_mixed_is_whole(neo4j_server, tmp_path, monkeypatch):
    graph, other = random_graph(60, 200), small_graph()
    load(small_graph(), neo4j_server, tmp_path / "first")
    finish = module.finish

    def interfering(*arguments):
        monkeypatch.setattr(module, "finish", finish)
        load(graph, neo4j_server, tmp_path / "other")
        return finish(*arguments)

    monkeypatch.setattr(module, "finish", interfering)
    with pytest.raises(WriteError, match="another export wrote to the same database"):
        load(graph, neo4j_server, tmp_path)
    assert ask(neo4j_server, "MATCH (g:FactmillGraph) RETURN g.complete, g.run") == [(False, None)]
    load(other, neo4j_server, tmp_path)
    assert_holds(neo4j_server, other)


def test_what_others_changed_is_found_where_all_is_compared(neo4j_server, tmp_path):
    load(small_graph(), neo4j_server, tmp_path)
    by_hand = "MATCH ()-[r:FATHER]->() SET r.confidence = 1.0"
    ask(neo4j_server, by_hand)
    load(small_graph(), neo4j_server, tmp_path)
    assert ask(neo4j_server, "MATCH ()-[r:FATHER]->() RETURN r.confidence") == [(1.0,)]
    load(small_graph(), neo4j_server, tmp_path, compare_all=True)
    assert_holds(neo4j_server, small_graph())


@pytest.mark.parametrize(
    "by_hand",
    [
        "MATCH (n {name: 'Lisinopril'}) DELETE n",
        "MATCH (n {name: 'London'}) DETACH DELETE n CREATE (:Entity {id: 'made up'})",
        "MATCH (n:Document) DELETE n",
        "MATCH (h)-[r:FATHER]->(t) CREATE (h)-[s:FATHER]->(t) SET s = properties(r)",
    ],
)
def test_counts_that_disagree_make_a_refresh_compare_all(neo4j_server, tmp_path, by_hand):
    load(small_graph(), neo4j_server, tmp_path)
    ask(neo4j_server, by_hand)
    load(small_graph(), neo4j_server, tmp_path)
    assert_holds(neo4j_server, small_graph())


@pytest.mark.parametrize(
    "by_hand",
    [
        "MATCH (g:FactmillGraph) SET g.complete = false",
        "MATCH (g:FactmillGraph) SET g.schema = 'other'",
        "MATCH (d:FactmillDigests) SET d.form = 'other'",
        "MATCH (d:FactmillDigests) SET d.run = 'other'",
        "MATCH (d:FactmillDigests) DELETE d",
    ],
)
def test_digests_that_may_not_be_of_what_is_there_are_not_believed(neo4j_server, tmp_path, monkeypatch, by_hand):
    load(small_graph(), neo4j_server, tmp_path)
    ask(neo4j_server, by_hand)
    watched = Watched(monkeypatch)
    load(small_graph(), neo4j_server, tmp_path)
    assert len(watched.read) == 8
    assert_holds(neo4j_server, small_graph())


def test_what_others_changed_is_mended_and_what_they_added_stays(neo4j_server, tmp_path):
    load(small_graph(), neo4j_server, tmp_path)
    for change in (
        "MATCH (n:LOC) SET n:PER:Odd, n.extra = 1",
        "MATCH (n {name: 'Lisinopril'}) DETACH DELETE n",
        "MATCH ()-[r:FATHER]->() SET r.confidence = 1.0",
        "MATCH (h)-[r:PLACE_OF_BIRTH]->(t) CREATE (h)-[s:PLACE_OF_BIRTH]->(t) SET s = properties(r)",
        "MATCH (a {name: 'London'}), (b {name: 'Lord Byron'}) CREATE (a)-[:SPOUSE {id: 'made up'}]->(b)",
    ):
        ask(neo4j_server, change)
    load(small_graph(), neo4j_server, tmp_path, compare_all=True)
    assert_holds(neo4j_server, small_graph())
    ask(neo4j_server, "MATCH (a {name: 'London'}) CREATE (a)-[:SEEN_BY]->(:Tourist {id: 'mine'})")
    load(small_graph(), neo4j_server, tmp_path)
    assert ask(neo4j_server, "MATCH (a)-[:SEEN_BY]->(b:Tourist) RETURN a.name, b.id") == [("London", "mine")]


def test_a_database_with_like_nodes_of_another_program_is_left_alone(neo4j_server, tmp_path):
    ask(neo4j_server, "CREATE (:Entity {id: 'theirs'})")
    with pytest.raises(WriteError, match=r"holds ':Entity' nodes of another program.*name another database"):
        load(small_graph(), neo4j_server, tmp_path)
    assert ask(neo4j_server, "MATCH (n) RETURN labels(n), n.id") == [(["Entity"], "theirs")]


def test_writers_side_by_side_make_the_same_graph(neo4j_server, tmp_path):
    graph = random_graph(60, 1_500)
    load(graph, neo4j_server, tmp_path, writers=3)
    assert_holds(neo4j_server, graph)


def test_a_commit_without_an_answer_is_not_written_twice(neo4j_server, tmp_path, monkeypatch):
    execute_write, answers = neo4j.Session.execute_write, itertools.count()

    def silent(session, *work):
        answer = execute_write(session, *work)
        if next(answers) % 3 == 2:
            raise IncompleteCommit("the connection broke")
        return answer

    graph = random_graph(60, 200)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_ROWS", 40)
        patch.setattr(neo4j.Session, "execute_write", silent)
        load(graph, neo4j_server, tmp_path)
    assert next(answers) > 6
    assert_holds(neo4j_server, graph)


def test_a_server_that_restarts_in_the_middle(neo4j_server, tmp_path, monkeypatch):
    graph = random_graph(300, 900)
    monkeypatch.setattr(module, "_ROWS", 100)
    writes = []
    write = module.write

    def restarting(session, work):
        write(session, work)
        writes.append(session)
        if len(writes) == 8:
            neo4j_server.kill()
            threading.Thread(target=neo4j_server.start).start()

    monkeypatch.setattr(module, "write", restarting)
    load(graph, neo4j_server, tmp_path)
    assert len(writes) > 8
    assert_holds(neo4j_server, graph)


def test_a_server_that_goes_away_leaves_no_graph_that_looks_whole(neo4j_server, tmp_path, monkeypatch):
    graph = random_graph(300, 900)
    load(small_graph(), neo4j_server, tmp_path)
    write = module.write
    writes = []

    def stopping(session, work):
        write(session, work)
        writes.append(session)
        if len(writes) == 6:
            neo4j_server.kill()

    with monkeypatch.context() as patch:
        patch.setattr(module, "_ROWS", 100)
        patch.setattr(module, "write", stopping)
        patch.setattr(neo4j_connection, "RETRY_SECONDS", 2.0)
        with pytest.raises(WriteError, match=r"no Neo4j server answers at 'bolt://.*same command again"):
            load(graph, neo4j_server, tmp_path)
    neo4j_server.start()
    assert ask(neo4j_server, "MATCH (g:FactmillGraph) RETURN g.complete") == [(False,)]
    nodes, _ = held(neo4j_server)
    assert nodes != wanted(graph)[0]
    load(graph, neo4j_server, tmp_path)
    assert_holds(neo4j_server, graph)


def test_a_full_disk_of_the_server(neo4j_server, tmp_path):
    if not neo4j_server.home.is_mount():
        pytest.skip("the server has no disk of its own")
    graph = random_graph(300, 2_000)
    load(small_graph(), neo4j_server, tmp_path)
    graph.write(tmp_path)
    counts = Counts({}, {}, {}, {}, {}, {}, {}, {})
    BuildReport("build", BuildOptions(), {}, (), counts, {}, {}, {}, SCHEMA).write(tmp_path)
    export = "export", str(tmp_path), "--to", neo4j_server.uri
    filler = neo4j_server.home / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(neo4j_server.home).free - 400_000)
    told = CliRunner().invoke(main, export)
    filler.unlink()
    assert (told.exit_code, told.stdout) == (1, "")
    assert re.match(r"Error: Neo4j at .*full disk.*make room.*restart it.*same command again.*\n$", told.stderr)
    neo4j_server.kill()
    neo4j_server.start()
    assert ask(neo4j_server, "MATCH (g:FactmillGraph) RETURN g.complete") == [(False,)]
    assert held(neo4j_server)[1] != wanted(graph)[1]
    assert CliRunner().invoke(main, export).exit_code == 0
    assert_holds(neo4j_server, graph)


def test_a_job_that_is_killed_and_run_again(neo4j_server, tmp_path):
    graph = random_graph(600, 4_000)
    tables = graph.write(tmp_path)
    job = multiprocessing.get_context("spawn").Process(target=_write, args=(tables, neo4j_server.uri))
    job.start()
    deadline = time.monotonic() + 120
    while not ask(neo4j_server, "MATCH ()-[r]->() RETURN count(r) > 0")[0][0] and time.monotonic() < deadline:
        time.sleep(0.05)
    job.kill()
    job.join()
    assert ask(neo4j_server, "MATCH (g:FactmillGraph) RETURN g.complete") == [(False,)]
    Neo4jWriter().write(tables, neo4j_server.uri, SCHEMA)
    assert_holds(neo4j_server, graph)


def _write(tables, uri):
    module._ROWS = 200
    Neo4jWriter().write(tables, uri, SCHEMA)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NEO4J_PASSWORD", "wrong-password", "refuses the login of 'neo4j': check NEO4J_USERNAME and NEO4J_PASSWORD"),
        ("NEO4J_USERNAME", "nobody", "refuses the login of 'nobody'"),
        ("NEO4J_PASSWORD", "", "no password for Neo4j: set NEO4J_PASSWORD"),
        ("NEO4J_DATABASE", "absent", "refuses: .*absent"),
    ],
)
def test_a_wrong_login_is_told_before_any_work(neo4j_server, tmp_path, monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)
    with pytest.raises(WriteError, match=message) as caught:
        load(small_graph(), neo4j_server, tmp_path)
    assert neo4j_server.password not in str(caught.value)
    assert "wrong-password" not in str(caught.value)


def test_edges_that_cannot_be_written_are_told_before_any_work(neo4j_server, tmp_path):
    a, b = make_node("A"), make_node("B")
    for graph, message in (
        (Graph([a], [make_edge(a, "P17", b)]), f"ends at '{b.id}', which the nodes lack"),
        (Graph([a, b], [make_edge(a, "P0", b)]), "relation 'P0', which the relation schema 'docred' lacks"),
    ):
        with pytest.raises(TableError, match=message):
            load(graph, neo4j_server, tmp_path)
    assert held(neo4j_server) == ({}, {})


def test_evidence_of_no_edge_is_told_before_any_work(neo4j_server, tmp_path):
    graph = small_graph()
    load(graph, neo4j_server, tmp_path)
    broken = small_graph()
    stray = make_edge(broken.nodes[0], "P17", broken.nodes[1])
    add_evidence(Graph(broken.nodes, evidence=broken.evidence, documents=broken.documents), stray, "d:1")
    with pytest.raises(TableError, match="which the edges lack"):
        load(broken, neo4j_server, tmp_path)
    assert_holds(neo4j_server, graph)
