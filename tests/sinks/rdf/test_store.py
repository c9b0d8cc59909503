import errno
import os
import shutil
import subprocess
import sys

import pyoxigraph
import pytest

from sinks import RdfWriter, TableError, WriteError
from sinks.rdf import store as module
from sinks.rdf.store import STORE, make_store, open_store
from tests.sinks.graphs import SCHEMA, Graph, make_node, odd_graph, small_graph
from tests.sinks.readers import RdfReader


@pytest.mark.parametrize("graph", [small_graph(), odd_graph(), Graph()], ids=["small", "odd", "empty"])
def test_the_store_holds_what_the_file_holds(graph, tmp_path):
    tables = graph.write(tmp_path)
    RdfWriter("ntriples").write(tables, tmp_path / "graph.nt", SCHEMA)
    assert set(open_store(tmp_path, SCHEMA)) == set(RdfReader.quads(tmp_path / "graph.nt"))


def test_it_is_made_once_and_again_when_the_tables_change(tmp_path, monkeypatch):
    small_graph().write(tmp_path)
    size = len(open_store(tmp_path, SCHEMA))
    with monkeypatch.context() as patch:
        patch.setattr(module, "_make", lambda *_: pytest.fail("made again without need"))
        assert len(open_store(tmp_path, SCHEMA)) == size
    graph = small_graph()
    graph.nodes.append(make_node("New"))
    graph.write(tmp_path)
    assert len(open_store(tmp_path, SCHEMA)) > size
    assert sorted(path.name for path in tmp_path.iterdir()) == [STORE, "tables"]


def test_several_processes_read_it_and_none_can_write(tmp_path):
    small_graph().write(tmp_path)
    store = open_store(tmp_path, SCHEMA)
    code = f"import pyoxigraph; print(len(pyoxigraph.Store.read_only({str(tmp_path / STORE / 'store')!r})))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout == f"{len(store)}\n", answer.stderr
    iri = pyoxigraph.NamedNode("x:y")
    with pytest.raises(RuntimeError, match="read-write"):
        store.add(pyoxigraph.Quad(iri, iri, iri))


def test_a_store_that_lost_something_is_not_put_in_place(tmp_path, monkeypatch):
    small_graph().write(tmp_path)
    write = RdfWriter.write

    def forgetful(self, *arguments):
        counts = write(self, *arguments)
        return {**counts, "edges": counts["edges"] + 1}

    monkeypatch.setattr(RdfWriter, "write", forgetful)
    with pytest.raises(WriteError, match="holds 2 of 3 edges"):
        open_store(tmp_path, SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_an_interrupted_load_leaves_nothing_that_looks_whole(tmp_path, monkeypatch):
    small_graph().write(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_ONCE", {"edges": "not a name"})
        with pytest.raises(KeyError):
            open_store(tmp_path, SCHEMA)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
    assert len(open_store(tmp_path, SCHEMA))


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_graph_in_a_folder_that_cannot_be_written_is_loaded_into_the_cache(reason, tmp_path, monkeypatch):
    small_graph().write(tmp_path / "graph")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    replacing = module.replacing

    def refused(target):
        if target.parent == tmp_path / "graph":
            raise OSError(reason, os.strerror(reason), str(target))
        return replacing(target)

    monkeypatch.setattr(module, "replacing", refused)
    assert len(open_store(tmp_path / "graph", SCHEMA))
    assert [path.name for path in (tmp_path / "graph").iterdir()] == ["tables"]
    (kept,) = (tmp_path / "cache" / "factmill").iterdir()
    assert kept.suffix == ".oxigraph"
    with monkeypatch.context() as patch:
        patch.setattr(module, "_make", lambda *_: pytest.fail("made again without need"))
        assert make_store(tmp_path / "graph", SCHEMA).parent == kept


def test_a_full_disk_is_no_reason_for_the_cache(tmp_path, monkeypatch):
    small_graph().write(tmp_path)

    def full(target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "replacing", full)
    with pytest.raises(OSError, match="No space left"):
        make_store(tmp_path, SCHEMA)


def test_of_several_processes_at_once_one_makes_the_store_and_all_read_it(tmp_path):
    small_graph().write(tmp_path)
    code = (
        "import sys; from sinks.rdf.store import open_store; from tests.sinks.graphs import SCHEMA; "
        "print(len(open_store(sys.argv[1], SCHEMA)))"
    )
    for _ in range(2):
        command = [sys.executable, "-c", code, str(tmp_path)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(command, **pipes) for _ in range(6)]
        answers = [process.communicate() for process in processes]
        assert len({out for out, _ in answers}) == 1, answers
        assert [process.returncode for process in processes] == [0] * 6, answers
        shutil.rmtree(tmp_path / STORE)


def test_tables_that_are_missing_are_named(tmp_path):
    with pytest.raises(TableError, match="no table 'nodes'"):
        open_store(tmp_path, SCHEMA)
