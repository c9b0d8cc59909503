"""The examples of `docs/tables.md` work as they stand there."""

import re
from pathlib import Path

import pyoxigraph
import pytest

from sinks import query

TEXT = (Path(__file__).parents[2] / "docs" / "tables.md").read_text("utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return found


@pytest.mark.parametrize("cypher", block("cypher").splitlines())
def test_cypher(cypher, small_folder):
    assert query(small_folder, cypher).rows


def test_sparql(small_folder):
    store = pyoxigraph.Store()
    store.load(path=str(small_folder / "graph.nq"), format=pyoxigraph.RdfFormat.N_QUADS)
    rows = [[term.value for term in row] for row in store.query(block("sparql"))]
    assert [row[:3] for row in rows] == [["Ada Lovelace", "London", "0.9375"]] * 2


def test_python(small_folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph").symlink_to(small_folder)
    names = {}
    exec(block("python"), names)
    assert names["nodes"].num_rows == names["graph"].number_of_nodes() == 4
