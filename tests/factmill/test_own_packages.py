"""A user's folders that are named like packages of factmill are not run, and either do no harm or are named."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import factmill
from factmill.own_packages import PACKAGES, claim_own_packages
from tests.runners.conftest import save_tiny

ROOT = Path(factmill.__file__).resolve().parent.parent
SCRIPT = """
import sys
import factmill
graph = factmill.build(["Ada Lovelace was born in London."], "graph", model={model!r}, runner={runner!r}, workers=1)
print(graph.table("documents").num_rows, factmill.load({model!r})("Ada").text)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture
def project(tmp_path):
    """A folder of a user, and a file that says which of its packages were run."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder, tmp_path / "ran"


def shadow(folder: Path, mark: Path, code: bool) -> None:
    """Lay out folders of data, or packages whose code writes to `mark` that it ran."""
    for name in PACKAGES:
        (folder / name).mkdir()
        (folder / name / "notes.json").write_text("{}")
        if code:
            (folder / name / "__init__.py").write_text(f"open({str(mark)!r}, 'a').write(__name__ + ' ')\n")


def run(script: Path, cwd: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *options, str(script)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("place", "runner"),
    [
        ("packages in the working directory", "processes"),
        ("data next to the script", "memory"),
        ("data next to the script", "processes"),
    ],
)
def test_folders_that_do_no_harm(project, tmp_path, tiny, place, runner):
    folder, mark = project
    shadow(folder, mark, code=place == "packages in the working directory")
    script = (folder if place == "data next to the script" else tmp_path) / "script.py"
    script.write_text(SCRIPT.format(model=str(tiny), runner=runner))
    done = run(script, folder)
    assert (done.returncode, done.stdout) == (0, "1 Ada\n"), done.stderr
    assert not mark.exists(), mark.read_text()


def test_packages_next_to_the_script_are_named_and_not_run(project, tiny):
    folder, mark = project
    shadow(folder, mark, code=True)
    script = folder / "script.py"
    script.write_text(SCRIPT.format(model=str(tiny), runner="memory"))
    done = run(script, folder)
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith(
        f"ImportError: factmill needs its own package 'schemas', but Python finds '{folder}/schemas'"
    )
    assert "rename it" in message
    assert not mark.exists(), mark.read_text()
    done = run(script, folder, "-P")
    assert (done.returncode, done.stdout) == (0, "1 Ada\n"), done.stderr


def test_one_package_that_the_script_imported_before_factmill(project):
    folder, _ = project
    (folder / "sinks").mkdir()
    (folder / "sinks" / "__init__.py").write_text("MINE = True\n")
    script = folder / "script.py"
    script.write_text("import sinks, factmill\nassert sinks.MINE\nfactmill.load('docred-minilm')\n")
    done = run(script, folder)
    assert f"factmill needs its own package 'sinks', but Python finds '{folder}/sinks' first" in done.stderr


def test_in_this_process_everything_is_our_own():
    claim_own_packages()
    for name in PACKAGES:
        assert Path(importlib.import_module(name).__file__).parent == ROOT / name
