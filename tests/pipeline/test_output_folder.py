import subprocess
import sys

import pytest

from pipeline.failures import BuildError
from pipeline.output_folder import output_folder


def fill(out, text):
    with output_folder(out) as staging:
        (staging / "tables").mkdir()
        (staging / "tables" / f"{text}.parquet").write_text(text)
        (staging / "run.json").write_text(text)
        (staging / "scrap").write_text(text)


def names(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_only_results_are_left_and_a_later_build_replaces_them(tmp_path):
    out = tmp_path / "new" / "out"
    fill(out, "one")
    assert names(out) == ["run.json", "tables/one.parquet"]
    (out / "graph.nq").write_text("of the first build")
    fill(out, "two")
    assert names(out) == ["run.json", "tables/two.parquet"]


def test_a_build_that_fails_leaves_the_earlier_result(tmp_path):
    fill(tmp_path, "one")
    with pytest.raises(RuntimeError), output_folder(tmp_path) as staging:
        (staging / "run.json").write_text("half")
        raise RuntimeError
    assert "tables/one.parquet" in names(tmp_path)
    assert (tmp_path / "run.json").read_text() == "one"
    fill(tmp_path, "two")
    assert names(tmp_path) == ["run.json", "tables/two.parquet"]


def test_a_second_build_into_the_folder_is_refused(tmp_path):
    with output_folder(tmp_path), pytest.raises(BuildError, match="another build is writing"), output_folder(tmp_path):
        pass


def test_a_killed_build_blocks_nobody(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from pipeline.output_folder import output_folder\n"
        "with output_folder(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    assert names(tmp_path) == [".factmill.lock"]
    fill(tmp_path, "after")
    assert names(tmp_path) == ["run.json", "tables/after.parquet"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["thesis.doc"], "not from a build \\(thesis.doc\\)"),
        (["run.json", "notes.txt"], "not from a build \\(notes.txt\\)"),
        (["graph.nq"], "holds no 'run.json'"),
    ],
)
def test_a_folder_with_other_content_is_left_alone(files, message, tmp_path):
    for name in files:
        (tmp_path / name).write_text("mine")
    with pytest.raises(BuildError, match=message), output_folder(tmp_path):
        pass
    assert names(tmp_path) == sorted(files)


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(BuildError, match="is not a folder"), output_folder(path):
        pass
