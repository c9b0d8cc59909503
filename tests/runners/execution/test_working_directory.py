"""Files of the working directory that are named like our packages, or like a library of ours, are never imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.beam.run import LOCAL_MODES

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("schemas", "extractors", "sinks", "pipeline", "runners", "factmill", "apache_beam", "msgspec")
PROGRAM = (
    "open({mark!r}, 'a').write(__name__ + ' was imported\\n')\nraise ImportError('a file of the working directory')\n"
)


def code(folder: Path, mark: Path) -> None:
    """Folders and files with code; Beam's worker imports modules of the other names."""
    for name in NAMES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(PROGRAM.format(mark=str(mark)))
    for name in ("proto", "google", "grpc", "typing_extensions", "sitecustomize"):
        (folder / f"{name}.py").write_text(PROGRAM.format(mark=str(mark)))


def data(folder: Path, mark: Path) -> None:
    """Folders without code: importable as namespace packages all the same."""
    for name in NAMES:
        (folder / name).mkdir()
        (folder / name / "notes.json").write_text("{}")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, as its script does: without the working directory on the search path."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "runners.cli.main", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("runner", "content"), [*((runner, code) for runner in ("local", *LOCAL_MODES)), ("processes", data)]
)
def test_a_build_imports_nothing_from_the_working_directory(tmp_path, content, runner):
    folder, mark = tmp_path / "work", tmp_path / "mark"
    folder.mkdir()
    content(folder, mark)
    (folder / "note.txt").write_text("Ada Lovelace was born in London.")
    out = folder / "graph"
    ran = run(folder, "build", "note.txt", "--out", str(out), "--runner", runner, "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    assert not mark.exists(), mark.read_text()
    assert "Traceback" not in ran.stderr
    assert "WARNING" not in ran.stderr
    assert (out / "tables" / "nodes.parquet").is_file()


def test_no_other_command_imports_from_it_either(tmp_path):
    folder, mark = tmp_path / "work", tmp_path / "mark"
    folder.mkdir()
    code(folder, mark)
    (folder / "note.txt").write_text("Ada Lovelace was born in London.")
    (folder / "more.txt").write_text("Charles Babbage was born in London.")
    (folder / "ids").write_text("more.txt\n")
    for arguments in (
        ("build", "note.txt", "--out", "graph"),
        ("update", "graph", "more.txt", "--runner", "processes", "--workers", "2"),
        ("remove", "graph", "--documents", "ids", "--runner", "processes", "--workers", "2"),
        ("query", "graph", "MATCH (a) RETURN a.name LIMIT 1"),
        ("sparql", "graph", "ASK {}"),
        ("info", "graph"),
        ("export", "graph", "--to", "turtle", "--out", "graph.ttl"),
        ("train", "--list"),
    ):
        ran = run(folder, *arguments)
        assert ran.returncode == 0, (arguments, ran.stdout, ran.stderr)
        assert not mark.exists(), (arguments, mark.read_text())
