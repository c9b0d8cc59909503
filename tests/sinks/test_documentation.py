"""The examples of the documentation of sinks work as they stand there."""

import re
from pathlib import Path

import pytest

from sinks import query
from sinks.questions.sparql import SparqlStore
from tests.sinks.graphs import SCHEMA

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("cypher", blocks("reference/tables.md", "cypher")[0].splitlines())
def test_cypher(cypher, small_folder):
    assert query(small_folder, cypher).rows


@pytest.fixture(scope="module")
def store(small_folder):
    return SparqlStore(small_folder, SCHEMA)


@pytest.mark.parametrize("sparql", blocks("reference/rdf.md", "sparql"))
def test_sparql(sparql, store):
    assert list(store.query(sparql))


def test_prefixes_are_those_of_the_documentation(store):
    row = next(iter(store.query(blocks("reference/rdf.md", "sparql")[0])))
    found = [term.value for term in row]
    assert found == ["Ada Lovelace", "London", "0.9375", "Ada Lovelace ~ London."]


@pytest.mark.parametrize("page", ["reference/tables.md", "how-to/export.md"])
def test_python(page, small_folder, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph").symlink_to(small_folder)
    names = {}
    exec("\n".join(blocks(page, "python")), names)
    assert names["graph"].number_of_nodes() == 4
