"""A user's code that is checked with mypy --strict sees the types of factmill."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import factmill

ROOT = Path(factmill.__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GOOD = """
from pathlib import Path

import factmill
from sinks import GraphWriter, GraphTables


def births(texts: list[str]) -> list[tuple[str, str, float]]:
    model: factmill.Model = factmill.load(Path("checkpoint"))
    found = [
        (fact.head.name, fact.tail.name, fact.probability)
        for result in model(texts, min_precision=0.8)
        for fact in result.facts
        if fact.relation.id == "P19" and fact.evidence[0].start >= 0
    ]
    one: factmill.Result = model("Ada Lovelace was born in London.")
    return [*found, *((fact.head.name, fact.tail.name, 1.0) for fact in one.facts)]


def ask(folder: str) -> int:
    graph = factmill.open(folder)
    node: factmill.GraphNode = graph.show("Ada Lovelace")
    name: str = node.facts[0].tail.name
    rows: factmill.QueryRows = graph.query("MATCH (a) RETURN a.name", {"name": name})
    try:
        graph = factmill.build([Path("a"), factmill.make_document("b c")], folder, rules={"types": "enforce"})
    except (factmill.BuildError, factmill.BuildFailed):
        pass
    return len(rows) + int(graph.nodes.num_rows)


class Writer(GraphWriter):
    name = "mine"
    file = "graph.mine"

    def write_draft(self, tables: GraphTables, draft: Path, schema: factmill.RelationSchema) -> dict[str, int]:
        return {"nodes": tables.count("nodes")}
"""
WRONG = {
    "factmill.load(7)": 'has incompatible type "int"',
    'factmill.load("m")("t").fact': '"Result" has no attribute "fact"',
    'factmill.load("m")(["t"]).facts': '"list[Result]" has no attribute "facts"',
    'factmill.open("g").query(3)': 'has incompatible type "int"',
    'factmill.build(["a b"], "g", worker=2)': 'Unexpected keyword argument "worker"',
}


@pytest.mark.parametrize("name", ["factmill", "schemas", "extractors", "sinks", "pipeline", "runners"])
def test_every_package_says_that_it_has_types(name):
    assert (ROOT / name / "py.typed").is_file()
    assert "py.typed" in CONFIG["tool"]["setuptools"]["package-data"][name]


def test_mypy_takes_what_is_right_and_finds_what_is_wrong(tmp_path):
    """One run, in the project's folder, so that it finds what `make lint` has checked already in the cache."""
    program = tmp_path / "program.py"
    program.write_text(GOOD + "\n\n" + "\n".join(WRONG) + "\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--hide-error-context", "--no-error-summary", str(program)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    lines = [line.partition(" error: ")[2] for line in done.stdout.splitlines() if line.startswith(str(program))]
    lines = [line for line in lines if line]
    assert len(lines) == len(WRONG), done.stdout + done.stderr
    for line, expected in zip(lines, WRONG.values(), strict=True):
        assert expected in line
