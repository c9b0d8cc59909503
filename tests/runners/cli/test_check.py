import json
import shutil

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from runners.cli.main import main


@pytest.fixture
def graph(built, tmp_path):
    shutil.copytree(built[0], tmp_path / "graph")
    return tmp_path / "graph"


def check(graph, *args):
    return CliRunner().invoke(main, ["check", str(graph), *args])


def change(graph, table, column, value):
    path = graph / "tables" / f"{table}.parquet"
    rows = pq.read_table(path)
    position = rows.column_names.index(column)
    changed = pc.replace_with_mask(rows[column], [True] + [False] * (len(rows) - 1), value)
    pq.write_table(rows.set_column(position, rows.schema.field(position), changed), path)


@pytest.mark.parametrize("args", [(), ("--all",), ("--shapes", "0")])
def test_what_a_build_leaves_is_sound(args, graph):
    result = check(graph, *args)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("sound: ")


def test_a_confidence_that_is_none_breaks_a_rule_and_a_shape(graph):
    change(graph, "edges", "confidence", 7.0)
    result = check(graph)
    assert result.exit_code == 1
    assert "the confidence is above 0 and at most 1: 1 times, for example" in result.stdout
    assert "fm:confidence" in result.stdout or "vocabulary#confidence" in result.stdout
    found = json.loads(check(graph, "--json").stdout)
    assert [problem["table"] for problem in found["tables"]] == ["edges"]
    assert len(found["shapes"]) == 1
    assert json.loads(check(graph, "--json", "--shapes", "0").stdout)["shapes"] == []


def test_counts_are_compared_with_the_report(graph):
    report = json.loads((graph / "run.json").read_text())
    report["counts"]["rows"]["nodes"] += 1
    report["written"]["graph.nq"]["edges"] += 1
    (graph / "run.json").write_text(json.dumps(report))
    text = check(graph).stdout
    assert "nodes: not always true: has the" in text
    assert "graph.nq: not always true: holds all nodes and edges" in text


def test_a_missing_table_is_named(graph):
    (graph / "tables" / "evidence.parquet").unlink()
    result = check(graph)
    assert result.exit_code == 2
    assert "no table 'evidence'" in result.stderr
