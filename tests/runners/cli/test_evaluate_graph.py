import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from runners.cli.main import main

GOLD = Path(__file__).parents[3] / "examples" / "annotated" / "biomedicine.pubtator"


@pytest.fixture(scope="module")
def graph(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("graph") / "graph"
    result = CliRunner().invoke(main, ["build", str(GOLD), "--out", str(out), "--model", str(checkpoint)])
    assert result.exit_code == 0, result.output
    return out


def test_a_table_and_json(graph):
    table = CliRunner().invoke(main, ["evaluate-graph", str(graph), "--gold", str(GOLD)])
    assert table.exit_code == 0, table.output
    assert "best F1" in table.stdout
    plain = CliRunner().invoke(main, ["evaluate-graph", str(graph), "--gold", str(GOLD), "--json"])
    scores = json.loads(plain.stdout)
    assert scores["documents"]["annotated"] == scores["documents"]["in_graph"] > 0
    assert scores["nodes"]["recall"] == 1.0  # annotated entities come with the documents
    assert [row["cut"] for row in scores["edges"]] == [round(0.1 * step, 1) for step in range(10)]
    assert all(row["predicted"] >= after["predicted"] for row, after in pairwise(scores["edges"]))


def test_a_graph_of_other_documents_is_refused(built):
    result = CliRunner().invoke(main, ["evaluate-graph", str(built[0]), "--gold", str(GOLD)])
    assert result.exit_code == 2
    assert "none of the annotated documents is in" in result.stderr
