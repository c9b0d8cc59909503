import json

import pytest
from click.testing import CliRunner

from runners.cli.main import main
from sinks import GraphTables
from tests.runners.graph_files import written


def factmill(*args, **more):
    return CliRunner().invoke(main, [*map(str, args)], **more)


@pytest.fixture(scope="module")
def changed(checkpoint, texts, tmp_path_factory):
    """Graphs of each text alone and of both, and what an update, a removal and a merge said and left."""
    folder = tmp_path_factory.mktemp("changed")
    ada, alan = texts / "ada.txt", texts / "alan.txt"
    where = ("--model", checkpoint, "--runner", "memory", "--debug")
    for name, files in (("both", [texts]), ("ada", [ada]), ("alan", [alan])):
        assert factmill("build", *files, "--out", folder / name, *where).exit_code == 0
    told = {"merge": factmill("merge", folder / "ada", folder / "alan", "--out", folder / "merged", "--debug")}
    told["update"] = factmill("update", folder / "ada", alan, "--runner", "memory", "--debug")
    told["again"] = factmill("update", folder / "ada", texts, "--debug")
    return folder, told


def test_an_update_and_a_merge_leave_what_a_build_of_everything_does(changed):
    folder, told = changed
    assert [result.exit_code for result in told.values()] == [0, 0, 0]
    assert written(folder / "ada") == written(folder / "merged") == written(folder / "both")


def test_the_summary_and_the_report_tell_what_changed(changed):
    folder, told = changed
    assert "1 added, 0 replaced, 0 retried, 0 removed, 1 kept" in told["update"].stdout
    assert "1 documents now" in told["update"].stdout
    assert "0 added, 0 replaced, 0 retried, 0 removed, 2 kept" in told["again"].stdout
    report = json.loads((folder / "ada" / "run.json").read_text())
    assert (report["command"], report["counts"]["change"]) == ("update", {"kept": 2})
    assert report["inputs"] == ["ada.txt", "alan.txt"]


def test_ids_from_a_file_are_removed(changed):
    folder, _ = changed
    ids = GraphTables.open(folder / "both").read("documents", ("id",))["id"].to_pylist()
    gone = next(id for id in ids if "alan" in id)
    result = factmill("remove", folder / "both", "--documents", "-", "--debug", input=f"\n{gone}\nunheard\n")
    assert result.exit_code == 0, result.output
    assert "1 removed, 1 kept" in result.stdout
    assert GraphTables.open(folder / "both").read("documents", ("id",))["id"].to_pylist() == sorted(set(ids) - {gone})


def test_a_finished_build_that_is_continued_is_told_again(changed):
    folder, _ = changed
    before = (folder / "alan" / "run.json").read_bytes()
    result = factmill("build", "--resume", "--out", folder / "alan", "--debug")
    assert result.exit_code == 0, result.output
    assert (folder / "alan" / "run.json").read_bytes() == before
    assert "1 from 1 file" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["update", "{tmp}/none", "{tmp}"], "is no graph (it has no run.json)"),
        (["update", "{tmp}/none"], "Missing argument 'INPUT...'"),
        (["remove", "{tmp}", "--documents", "{tmp}/empty"], "give one id per line"),
        (["remove", "{tmp}"], "Missing option '--documents'"),
        (["merge", "{tmp}/a", "{tmp}/b"], "Missing option '--out'"),
        (["merge", "{tmp}/a", "{tmp}/b", "--out", "{tmp}/b"], "three different folders"),
        (["build", "--resume", "--out", "{tmp}/none"], "no build was interrupted in"),
    ],
)
def test_mistakes_end_with_a_message_and_code_2(args, message, tmp_path):
    (tmp_path / "empty").write_text("\n")
    result = factmill(*(arg.format(tmp=tmp_path) for arg in args))
    assert message in result.stderr
    assert result.exit_code == 2
    assert "Traceback" not in result.output
