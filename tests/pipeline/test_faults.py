"""Whatever breaks on the way: what is lost is told, and what comes out is what an undisturbed build gives."""

import errno
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import pipeline.beam.run
import pipeline.build_run
import pipeline.extraction.deadline
import pipeline.store.store
from pipeline.build import BuildOptions, build
from pipeline.change import update
from pipeline.dead_letters import BuildFailed
from pipeline.extraction.deadline import ExtractorWithDeadline
from pipeline.extraction.extract import OpenShard
from pipeline.extraction.inference import extract_safely
from pipeline.output_folder import STAGING
from pipeline.store.store import FOLDER
from schemas import DeadLetter
from sinks import GraphTables
from tests import disks
from tests.pipeline.change_cases import MACHINE, shards
from tests.pipeline.faulty import OPTIONS, BuildProcess, Given, Hanging, below, end, long_corpus, runs, workers_of
from tests.pipeline.made import digest, document, pubtator, records
from tests.rule_extractor import RuleExtractor, RuleSource

ONE = BuildOptions(runner="memory", workers=1, batch_cost=100)
TWICE = BuildOptions(runner="memory", workers=1, batch_cost=100, beam=("--direct_runner_bundle_repeat=1",))
# Set to 20 for the large trial.
MOMENTS = int(os.environ.get("FACTMILL_MOMENTS", "1"))


def build_rules(corpus, out, options=ONE, source=None, **more):
    return build([corpus], out, options, source=source or RuleSource(), writers=[], **more)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "a.txt"
    path.write_text(pubtator(records(60)))
    return path


@pytest.fixture(scope="module")
def undisturbed(corpus, tmp_path_factory):
    """An undisturbed build, and its report."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.store.store, "_BYTES", 512)
        return out, build_rules(corpus, out)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(pipeline.store.store, "_BYTES", 512)


# A model that hangs.


@pytest.fixture
def hurry(monkeypatch):
    monkeypatch.setattr(pipeline.extraction.deadline, "_SECONDS", 0.3)
    monkeypatch.setattr(pipeline.extraction.deadline, "_SECONDS_PER_COST", 0.0)


@pytest.fixture
def hanging():
    extractor = Hanging()
    yield extractor
    extractor.freed.set()


def prepared(*texts):
    return [RuleExtractor().featurize(document(f"d{number}", text)) for number, text in enumerate(texts)]


def test_a_document_among_32_on_which_the_model_hangs_is_the_only_one_lost(hurry, hanging):
    punctual = ExtractorWithDeadline(hanging)
    batch = prepared(*["Ann is in Luton."] * 20, "Hang is in Luton.", *["Bob is in Luton."] * 11)
    results = extract_safely(punctual, batch)
    assert [number for number, result in enumerate(results) if isinstance(result, DeadLetter)] == [20]
    assert (results[20].reason, results[20].detail) == (
        "extractor took too long",
        "DeadlineExceeded: no result after 0 seconds",
    )
    assert results[:20] + results[21:] == RuleExtractor().extract(batch[:20] + batch[21:])
    # Two threads were left behind, with the batch and with the document, and go when they come back.
    assert [thread.is_alive() for thread in punctual.left_behind] == [True, True]
    hanging.freed.set()
    for thread in punctual.left_behind:
        thread.join(5)
        assert not thread.is_alive()


def test_a_model_that_always_hangs_ends_the_build_and_costs_no_documents(hurry, hanging):
    with pytest.raises(BuildFailed, match="the model hangs: 8 batches have not come back"):
        extract_safely(ExtractorWithDeadline(hanging), prepared(*["Hang is in Luton."] * 32))


def test_larger_batches_may_take_longer(monkeypatch, hanging):
    monkeypatch.setattr(pipeline.extraction.deadline, "_SECONDS", 0.1)
    monkeypatch.setattr(pipeline.extraction.deadline, "_SECONDS_PER_COST", 0.5)
    with pytest.raises(pipeline.extraction.deadline.DeadlineExceeded, match="no result after 4 seconds"):
        ExtractorWithDeadline(hanging).extract(prepared("Hang is in Luton .", "Ann ."))


def test_an_error_in_time_comes_as_it_is():
    with pytest.raises(RuntimeError, match="poisoned"):
        ExtractorWithDeadline(RuleExtractor()).extract(prepared("Poison"))


def test_a_document_that_hung_once_is_tried_again(hurry, hanging, tmp_path):
    made = records(12)
    made[5] = (made[5][0], made[5][1], "Hang is in Luton.")
    (tmp_path / "a.txt").write_text(pubtator(made))
    report = build_rules(tmp_path / "a.txt", tmp_path / "out", source=Given(hanging))
    assert report.counts.dead_letters == {"extract: extractor took too long": 1}
    (letter,) = GraphTables.open(tmp_path / "out").read("dead_letters").to_pylist()
    assert letter["document_id"] == f"pubtator:{made[5][0]}"
    report = update(tmp_path / "out", [tmp_path / "a.txt"], MACHINE, source=RuleSource(), writers=[])
    assert (report.counts.change["retried"], report.counts.extracted) == (1, {"now": 1})
    build_rules(tmp_path / "a.txt", tmp_path / "undisturbed")
    assert digest(tmp_path / "out") == digest(tmp_path / "undisturbed")


# Work that is done twice, and what is counted.


def test_bundles_that_run_twice_change_neither_tables_nor_counts(
    corpus, undisturbed, tmp_path, small_shards, monkeypatch
):
    opened = []
    process = OpenShard.process
    monkeypatch.setattr(OpenShard, "process", lambda *args: opened.append(args[1][0]) or process(*args))
    report = build_rules(corpus, tmp_path / "out", TWICE)
    shards = len(list((tmp_path / "out" / FOLDER).glob("shard-*")))
    assert sorted(opened) == sorted([*range(shards), *range(shards)])
    assert shards > 4
    assert digest(tmp_path / "out") == digest(undisturbed[0])
    assert report.counts == undisturbed[1].counts


def test_the_metrics_of_beam_the_report_and_the_tables_agree(tmp_path, monkeypatch):
    made = [list(record) for record in records(30)]
    for number, spell in ((3, "Poison"), (4, "Unpreparable")):
        made[number][2] += f" {spell} is in Boston."
    (tmp_path / "a.txt").write_text(pubtator(made))
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    runs = []
    run_pipeline = pipeline.beam.run.FnApiRunner.run_pipeline
    monkeypatch.setattr(
        pipeline.beam.run.FnApiRunner, "run_pipeline", lambda *args: runs.append(run_pipeline(*args)) or runs[-1]
    )
    counts = build(
        [tmp_path / "a.txt", tmp_path / "b.bin"], tmp_path / "out", ONE, source=RuleSource(), writers=[]
    ).counts
    found = [(c.key.metric, c.committed) for run in runs for c in run.metrics().query()["counters"]]
    metric = {(name.namespace.removeprefix("factmill."), name.name): number for name, number in found}
    assert counts.read == {"documents": 30, "dead letters": metric["read", "dead_letters"]}
    assert sum(counts.read.values()) == metric["read", "records"]
    assert metric["extract", "documents"] + metric["prepare", "dead_letters"] == counts.extracted["now"] == 30
    assert counts.dead_letters["extract: extractor failed"] == metric["extract", "dead_letters"] == 1
    assert counts.dead_letters["prepare: document cannot be prepared"] == metric["prepare", "dead_letters"] == 1
    tables = GraphTables.open(tmp_path / "out")
    for name, rows in counts.rows.items():
        assert rows == metric["write", name] == tables.count(name)


# Files and folders.


def test_an_input_that_vanishes_or_changes_on_the_way_leaves_the_graph_as_it_was(tmp_path, monkeypatch):
    for name, first in (("a.txt", 0), ("b.txt", 10)):
        (tmp_path / name).write_text(pubtator(records(20)[first : first + 10]))
    build_rules(tmp_path / "a.txt", tmp_path / "out")
    before = digest(tmp_path / "out")
    run = pipeline.build_run.run
    for fault in (Path.unlink, lambda path: path.write_text(path.read_text() + " ")):
        with monkeypatch.context() as patch:
            patch.setattr(pipeline.build_run, "run", lambda *args, fault=fault: (fault(tmp_path / "b.txt"), run(*args)))
            with pytest.raises(BuildFailed, match=r"b\.txt"):
                update(tmp_path / "out", [tmp_path / "b.txt"], MACHINE, source=RuleSource(), writers=[])
        assert digest(tmp_path / "out") == before
        (tmp_path / "b.txt").write_text(pubtator(records(20)[10:]))
    update(tmp_path / "out", [tmp_path / "b.txt"], MACHINE, source=RuleSource(), writers=[])
    build([tmp_path / "a.txt", tmp_path / "b.txt"], tmp_path / "scratch", ONE, source=RuleSource(), writers=[])
    assert digest(tmp_path / "out") == digest(tmp_path / "scratch")


@pytest.fixture
def disk(tmp_path):
    """A disk of some kilobytes, and how to give it other options."""
    with disks.disk(tmp_path / "disk", "256k") as folder:
        yield folder, lambda options: subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def test_a_build_on_a_full_disk_goes_on_once_there_is_room(disk, corpus, undisturbed, small_shards):
    folder, remount = disk
    with pytest.raises((BuildFailed, OSError), match="No space left on device") as caught:
        build_rules(corpus, folder / "out")
    assert "--resume" in str(caught.value)
    done = list((folder / "out" / STAGING / FOLDER).glob("shard-*"))
    assert done
    remount("size=64m")
    report = build_rules(corpus, folder / "out", resume=True)
    assert report.counts.extracted["before"] > 0
    assert digest(folder / "out") == digest(undisturbed[0])


def test_a_folder_that_cannot_be_written_is_told_before_any_work(disk, corpus):
    folder, remount = disk
    remount("ro")
    with pytest.raises(OSError, match="Read-only file system") as caught:
        build_rules(corpus, folder / "out")
    assert caught.value.errno == errno.EROFS
    assert not list(folder.iterdir())


# Processes that are killed.


@pytest.fixture(scope="module")
def undisturbed_long(tmp_path_factory):
    """A corpus of many shards, and its build."""
    folder = tmp_path_factory.mktemp("long")
    build_rules(long_corpus(folder / "a.txt"), folder / "out", OPTIONS)
    return folder / "a.txt", folder / "out"


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_worker_process_that_is_killed_ends_the_build_which_goes_on_with_resume(seed, undisturbed_long, tmp_path):
    corpus, undisturbed = undisturbed_long
    process = BuildProcess(corpus, tmp_path / "out", "processes")
    chance = random.Random(seed)
    running = process.start()
    try:
        moment = chance.randint(1, 12)
        while running.poll() is None and len(process.done) < moment:
            time.sleep(0.01)
        os.kill(chance.choice(workers_of(running.pid)), signal.SIGKILL)
        told, _ = running.communicate(timeout=120)
    finally:
        end(running)
    assert "BuildFailed: the pipeline failed: a worker process ended early" in told
    assert "continue with the same command and --resume" in told
    done = process.done
    assert done
    # The runner may be another one then; this one starts sooner.
    report = build_rules(corpus, process.out, OPTIONS, resume=True)
    assert report.counts.extracted["before"] > 0
    assert report.counts.extracted["before"] + report.counts.extracted.get("now", 0) == 48
    assert digest(process.out) == digest(undisturbed)
    assert done.items() <= shards(process.out / FOLDER).items()


def test_a_process_that_holds_the_model_of_the_machine_may_be_killed_too(undisturbed_long, tmp_path):
    corpus, undisturbed = undisturbed_long
    process = BuildProcess(corpus, tmp_path / "out", "processes", holder=tmp_path / "holder")
    running = process.start()
    try:
        while running.poll() is None and len(process.done) < 2:
            time.sleep(0.01)
        (holder,) = map(int, process.holder.read_text().split())
        os.kill(holder, signal.SIGKILL)
        told, _ = running.communicate(timeout=120)
    finally:
        end(running)
    assert "BuildFailed: the pipeline failed: " in told
    assert "a worker process ended early" in told or "the process that held the model has ended" in told
    report = build_rules(corpus, process.out, OPTIONS, resume=True)
    assert report.counts.dead_letters == {}
    assert report.counts.extracted["before"] > 0
    assert digest(process.out) == digest(undisturbed)


def gone(pids, seconds=30):
    """Whether all these processes end in time; nobody may have looked yet how they ended."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not left


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_command_that_is_killed_leaves_no_process_and_goes_on_with_resume(seed, undisturbed_long, tmp_path):
    corpus, undisturbed = undisturbed_long
    chance = random.Random(seed)
    process = BuildProcess(corpus, tmp_path / "out", chance.choice(("threads", "processes", "memory")))
    running = process.start()
    try:
        moment = chance.randint(1, 16)
        while running.poll() is None and len(process.done) < moment:
            time.sleep(0.01)
        time.sleep(chance.random())  # anywhere between two shards, or in the merge
        done, others = process.done, below(running.pid)
        running.kill()
        assert gone(others)
    finally:
        end(running)
    assert done
    assert not (process.out / "tables").exists()
    report = build_rules(corpus, process.out, OPTIONS, resume=True)
    assert report.counts.extracted["before"] > 0
    assert report.counts.extracted["before"] + report.counts.extracted.get("now", 0) == 48
    assert digest(process.out) == digest(undisturbed)
    assert done.items() <= shards(process.out / FOLDER).items()
