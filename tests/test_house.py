"""What import-linter (the contracts in `pyproject.toml`) cannot say about modules, folders and tracked files."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("schemas", "extractors", "sinks", "pipeline", "runners", "factmill")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_MODULE = 500
MOST_MODULES_IN_A_FOLDER = 18
LARGEST_FILE = 52_000_000
SAYS_NOTHING = {"utils.py", "helpers.py", "common.py", "misc.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_the_rules(path):
    source = path.read_text("utf-8")
    assert source.count("\n") <= LONGEST_MODULE, "split it: one module, one idea"
    assert path.name not in SAYS_NOTHING, "name the module after its idea"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", source), "finish it or leave it out"
    assert not re.search(r"^\s*from \.", source, re.M), "name the module in full"


def test_a_folder_can_be_read_at_a_glance():
    sizes = Counter(path.parent.relative_to(ROOT) for path in MODULES if path.name != "__init__.py")
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES_IN_A_FOLDER} == {}


def test_no_tracked_file_is_too_large_or_a_leftover():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    tracked = [ROOT / name for name in listing.stdout.split("\0") if name]
    existing = [path for path in tracked if path.is_file()]
    assert existing
    assert [path for path in existing if path.stat().st_size > LARGEST_FILE] == []
    assert [path for path in existing if path.suffix in {".pyc", ".orig", ".rej", ".tmp"}] == []
