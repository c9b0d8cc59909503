"""What `import factmill` costs, and the names it offers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import factmill

ROOT = Path(factmill.__file__).resolve().parent.parent
HEAVY = ("torch", "transformers", "pyarrow", "apache_beam", "numpy", "scipy", "pandas", "msgspec")
SECONDS = 0.3


def run(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_import_is_quick_and_loads_nothing_heavy():
    program = (
        "import json, sys, time; start = time.perf_counter(); import factmill; "
        f"print(json.dumps([time.perf_counter() - start, [m for m in {HEAVY!r} if m in sys.modules]]))"
    )
    runs = [json.loads(run(program)) for _ in range(3)]
    assert runs[0][1] == []
    assert min(seconds for seconds, _ in runs) < SECONDS


def test_opening_a_graph_loads_neither_torch_nor_beam(graph):
    program = (
        f"import factmill, sys; graph = factmill.open({str(graph.folder)!r}); print(graph.nodes.num_rows, "
        "[m for m in ('torch', 'apache_beam', 'transformers') if m in sys.modules])"
    )
    assert run(program).strip() == f"{graph.nodes.num_rows} []"


@pytest.mark.parametrize("name", factmill.__all__)
def test_every_public_name_can_be_imported_and_says_what_it_is(name):
    assert getattr(factmill, name).__doc__
    assert name in dir(factmill)


def test_public_names_are_listed_once_and_have_a_home():
    assert len(set(factmill.__all__)) == len(factmill.__all__)
    assert set(factmill.__all__) == set(factmill._HOME)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'factmill' has no attribute 'extract'"):
        factmill.extract  # noqa: B018
