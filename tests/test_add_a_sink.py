"""The sink that docs/how-to/add-a-sink.md shows keeps the rules of every sink, from a package of a user."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import factmill
from runners.cli.main import main
from schemas.plugins import PluginError
from sinks import find_writer, writer_names
from tests.pages import blocks, entry_points
from tests.plugins import install, use
from tests.sinks import readers
from tests.sinks import test_every_sink as every_sink
from tests.sinks.graphs import SCHEMA, random_graph

PAGE = "how-to/add-a-sink.md"
SINK, PYTHON, READER = blocks(PAGE)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def package(tmp_path_factory, monkeypatch):
    """A distribution of a user that registers the sink of the page; the folder that it is installed to."""
    site = tmp_path_factory.mktemp("site")
    files = {"my_package/__init__.py": "", "my_package/jsonl.py": SINK}
    install(site, "my-package", files, entry_points(PAGE))
    use(site, monkeypatch)
    return site


@pytest.fixture
def sink(package, monkeypatch):
    """The name of the sink, of which the suite of all sinks knows writer and reader for one test."""
    names = {"json": json, "Content": readers.Content}
    exec(READER, names)
    monkeypatch.setitem(readers.READERS, "jsonl", names["JsonLinesReader"])
    monkeypatch.setitem(every_sink.SINKS, "jsonl", find_writer("jsonl"))
    return "jsonl"


def test_the_page_shows_a_whole_sink_of_few_lines():
    assert len([line for line in SINK.splitlines() if line.strip()]) <= 35


@pytest.mark.parametrize(
    "rule",
    [
        every_sink.test_empty_graph,
        every_sink.test_one_node,
        every_sink.test_small_graph,
        every_sink.test_edge_without_evidence_and_parallel_edges_and_a_pair_in_both_directions,
        every_sink.test_odd_names,
        every_sink.test_odd_types,
        every_sink.test_every_unicode_plane,
        every_sink.test_writing_again_gives_the_same_graph_and_replaces_another,
        every_sink.test_failure_half_way_leaves_the_old_file,
        every_sink.test_relation_that_the_schema_lacks,
    ],
    ids=lambda rule: rule.__name__.removeprefix("test_"),
)
def test_it_keeps_the_rules_of_every_sink(sink, rule, tmp_path):
    rule(sink, tmp_path)


def test_equal_tables_give_equal_bytes(sink, tmp_path):
    written = []
    for number in range(2):
        tables = random_graph(50, 80).write(tmp_path / f"tables{number}")
        find_writer(sink).write(tables, tmp_path / f"{number}.jsonl", SCHEMA)
        written.append((tmp_path / f"{number}.jsonl").read_bytes())
    assert written[0] == written[1]


def test_python_and_commands_of_the_page(package, tmp_path, monkeypatch):
    """The graph keeps the format in builds and updates, and a build without it removes the file."""
    monkeypatch.chdir(tmp_path)
    exec(PYTHON, {})
    assert (tmp_path / "people" / "graph.jsonl").read_bytes() == (tmp_path / "people.jsonl").read_bytes()
    (tmp_path / "more.txt").write_text("Charles Babbage was born in London.")
    done = CliRunner().invoke(main, ["update", "people", "more.txt"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in (tmp_path / "people" / "graph.jsonl").read_text("utf-8").splitlines()]
    assert "Charles Babbage" in {row.get("name") for row in rows}
    assert len(rows) == factmill.open("people").nodes.num_rows + factmill.open("people").edges.num_rows
    # In a process of its own, which finds the package by the search path alone.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    command = [
        sys.executable,
        "-P",
        "-m",
        "runners.cli.main",
        "export",
        "people",
        "--to",
        "jsonl",
        "--out",
        "out.jsonl",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path("out.jsonl").read_bytes() == Path("people", "graph.jsonl").read_bytes()
    factmill.build(["Ada Lovelace was born in London."], "people")
    assert not (tmp_path / "people" / "graph.jsonl").exists()


def test_listing_formats_imports_no_plugin(package):
    assert "jsonl" in writer_names()
    assert "my_package.jsonl" not in sys.modules


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("jsonl", "absent:Writer", r"the sink 'jsonl' of 'bad-sinks 1\.0' \(absent:Writer\) cannot be imported"),
        ("jsonl", "bad_sinks:NUMBER", r"'bad-sinks 1\.0' is a int: it must be a GraphWriter"),
        ("csv", "bad_sinks:NUMBER", r"'bad-sinks 1\.0' registers the sink 'csv', and factmill has one"),
    ],
)
def test_a_sink_that_cannot_be_used_names_its_distribution(tmp_path, monkeypatch, name, value, message):
    install(tmp_path, "bad-sinks", {"bad_sinks.py": "NUMBER = 7\n"}, {"factmill.sinks": {name: value}})
    use(tmp_path, monkeypatch)
    with pytest.raises(PluginError, match=message):
        find_writer(name)
