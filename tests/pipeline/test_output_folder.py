import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from pipeline.build_options import BuildOptions
from pipeline.dead_letters import BuildError
from pipeline.output_folder import check_output_folder, interrupted_plan, locked, staging
from pipeline.plan import Plan
from schemas.atomic_files import replacing
from sinks.rdf.store import STORE
from tests.pipeline.killing import killed_at

SHARD = "extractions/shard-00000-of-00001.parquet"


def report(text):
    return json.dumps({"command": text, "versions": {"factmill": "0.1.0"}})


def fill(out, text, **more):
    check_output_folder(out)
    with locked(out), staging(out, **more) as folder:
        (folder / "tables").mkdir()
        (folder / "tables" / f"{text}.parquet").write_text(text)
        (folder / SHARD).write_text(text)
        (folder / "run.json").write_text(report(text))
        (folder / "scrap").write_text(text)


def names(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def results(text):
    return [SHARD, "run.json", f"tables/{text}.parquet"]


def plan(*paths, command="build", **options):
    return Plan.of(command, BuildOptions(**options), paths, {"model": "m", "fingerprint": "1"}, {"factmill": "1"})


def test_only_results_are_left_and_a_later_build_replaces_them(tmp_path):
    out = tmp_path / "new" / "out"
    fill(out, "one")
    assert names(out) == results("one")
    (out / "graph.nq").write_text("of the first build")
    fill(out, "two")
    assert names(out) == results("two")


def test_a_build_that_fails_leaves_the_earlier_result(tmp_path):
    fill(tmp_path, "one")
    with pytest.raises(RuntimeError), locked(tmp_path), staging(tmp_path) as folder:
        (folder / "run.json").write_text("half")
        raise RuntimeError
    assert "tables/one.parquet" in names(tmp_path)
    assert (tmp_path / "run.json").read_text() == report("one")
    fill(tmp_path, "two")
    assert names(tmp_path) == results("two")


def test_a_second_build_into_the_folder_is_refused(tmp_path):
    message = rf"another build is writing to '.*' \(process {os.getpid()}\)"
    with locked(tmp_path), pytest.raises(BuildError, match=message), locked(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_killed_build_blocks_nobody(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from pipeline.output_folder import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    assert names(tmp_path) == [".factmill.lock"]
    fill(tmp_path, "after")
    assert names(tmp_path) == results("after")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"thesis.doc": "mine"}, r"not from a build \(thesis.doc\)"),
        ({"run.json": report("build"), "notes.txt": "mine"}, r"not from a build \(notes.txt\)"),
        ({"graph.nq": "mine"}, r"not from a build \(graph.nq\)"),
        ({"run.json": "{}", "tables/precious.csv": "mine"}, r"not from a build \(run.json, tables/precious.csv\)"),
        ({"run.json": '{"versions": ["factmill"]}'}, r"not from a build \(run.json\)"),
        ({"run.json": "no JSON"}, r"not from a build \(run.json\)"),
        ({"run.json": report("build"), "tables/precious.csv": "mine"}, r"not from a build \(tables/precious.csv\)"),
        ({"run.json": report("build"), "extractions/a.doc": "mine"}, r"not from a build \(extractions/a.doc\)"),
    ],
)
def test_a_folder_with_other_content_is_left_alone_without_force(files, message, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(BuildError, match=message):
        check_output_folder(tmp_path)
    assert names(tmp_path) == sorted(files)
    check_output_folder(tmp_path, force=True)


def test_drafts_that_a_killed_command_left_are_in_nobodys_way(tmp_path):
    fill(tmp_path, "one")
    with contextlib.ExitStack() as killed:
        for name in (STORE, "graph.nq"):
            draft = killed.enter_context(replacing(tmp_path / name))
            draft.mkdir()
            (draft / "half").write_text("half")
        shutil.copytree(tmp_path, tmp_path.with_name("left"))
    left = tmp_path.with_name("left")
    assert len([path for path in left.iterdir() if path.name.startswith(".graph.")]) == 2
    fill(left, "two")
    assert (left / "run.json").read_text() == report("two")
    (left / ".graph.doc").write_text("mine")
    with pytest.raises(BuildError, match=r"not from a build \(.graph.doc\)"):
        check_output_folder(left)


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(BuildError, match="is not a folder"):
        check_output_folder(path)


def test_wherever_a_command_is_killed_the_old_graph_stands_or_the_new_one_does_after_the_next_look(tmp_path):
    for moment in range(1000):
        out = tmp_path / str(moment)
        fill(out, "one")
        (out / "graph.nq").write_text("of the first build")
        if not killed_at(moment, lambda out=out: fill(out, "two")):
            break
        whole = [path for path in names(out) if not path.startswith(".")]
        with locked(out):
            after = [path for path in names(out) if not path.startswith(".")]
        states = (sorted([*results("one"), "graph.nq"]), results("two"))
        assert whole in states or "run.json" not in whole
        assert after in states
        fill(out, "three")
        assert names(out) == results("three")
    assert moment > 20


def test_shards_of_an_interrupted_plan_are_there_again_for_the_same_plan(tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("text")
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), locked(out), staging(out, plan(str(source))) as folder:
        (folder / SHARD).write_text("done")
        (folder / "tables").mkdir()
        raise RuntimeError
    assert interrupted_plan(out) == plan(str(source))
    check_output_folder(out)
    with locked(out), staging(out, plan(str(source), workers=7), resume=True) as folder:
        assert names(folder) == ["extractions/plan.json", SHARD]
    assert interrupted_plan(out) == plan(str(source))


def test_another_plan_is_not_continued(tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("text")
    out = tmp_path / "out"
    begun = plan(str(source))
    with pytest.raises(RuntimeError), locked(out), staging(out, begun) as folder:
        (folder / SHARD).write_text("done")
        raise RuntimeError
    source.write_text("longer text")
    for other, message in [
        (plan(str(source)), "its input files were different or have changed"),
        (plan(str(source), min_confidence=0.5), "because its options were different"),
        (plan(str(source), command="update"), "it was another command"),
    ]:
        with pytest.raises(BuildError, match=message), locked(out), staging(out, other, resume=True):
            pass
        assert (out / ".factmill.building" / SHARD).exists()
    with locked(out), staging(out, plan(str(source))) as folder:
        assert not (folder / SHARD).exists()
