"""The rules of the house: imports point down a floor, modules are one idea long and named after it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"schemas": 1, "extractors": 2, "sinks": 2, "pipeline": 3, "runners": 4}
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
LONGEST_MODULE = 500
LARGEST_FILE = 52_000_000
SAYS_NOTHING = {"utils.py", "helpers.py", "common.py", "misc.py"}
FREE_OF_BEAM = ("schemas", "extractors", "sinks")


def imported(source: str) -> list[tuple[int, str]]:
    """Every module that the source imports, also inside functions, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, "." * node.level + (node.module or "")))
    return found


def upward(floor: str, source: str) -> list[str]:
    """Imports of a module on `floor` that reach a floor above or beside it, or do not say where they go."""
    wrong = []
    for line, name in imported(source):
        target = name.split(".")[0]
        relative = name.startswith(".")
        if relative or (target in FLOORS and target != floor and FLOORS[target] >= FLOORS[floor]):
            wrong.append(f"line {line} imports {name}")
        if target == "apache_beam" and floor in FREE_OF_BEAM:
            wrong.append(f"line {line} imports {name}, and {floor} knows no Beam")
    return wrong


def test_there_are_modules_on_every_floor():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_the_rules(path):
    source = path.read_text("utf-8")
    assert upward(path.relative_to(ROOT).parts[0], source) == []
    assert source.count("\n") <= LONGEST_MODULE, "split it: one module, one idea"
    assert path.name not in SAYS_NOTHING, "name the module after its idea"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", source), "finish it or leave it out"


@pytest.mark.parametrize(
    ("floor", "source", "wrong"),
    [
        ("schemas", "import sinks.query", ["line 1 imports sinks.query"]),
        ("extractors", "from sinks import query", ["line 1 imports sinks"]),
        ("pipeline", "def f():\n    from runners import cli", ["line 2 imports runners"]),
        ("sinks", "import apache_beam as beam", ["line 1 imports apache_beam, and sinks knows no Beam"]),
        ("pipeline", "from .build import build", ["line 1 imports .build"]),
        ("runners", "import pipeline.build, json\nfrom runners import cli", []),
    ],
)
def test_the_check_itself_sees_what_is_wrong(floor, source, wrong):
    assert upward(floor, source) == wrong


def test_no_tracked_file_is_too_large_or_a_leftover():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    tracked = [ROOT / name for name in listing.stdout.split("\0") if name]
    existing = [path for path in tracked if path.is_file()]
    assert existing
    assert [path for path in existing if path.stat().st_size > LARGEST_FILE] == []
    assert [path for path in existing if path.suffix in {".pyc", ".orig", ".rej", ".tmp"}] == []
