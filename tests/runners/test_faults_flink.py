"""Machines of a Flink cluster that are lost while a build runs there."""

import os
import random
import time

import pytest

from pipeline.build import build
from pipeline.store.store import FOLDER
from tests.pipeline.change_cases import shards
from tests.pipeline.faulty import OPTIONS, BuildProcess, end, long_corpus
from tests.pipeline.made import digest
from tests.rule_extractor import RuleSource

# Set to 20 for the large trial.
MOMENTS = int(os.environ.get("FACTMILL_MOMENTS", "1"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    corpus = long_corpus(folder / "a.txt")
    return corpus, folder / "out", build([corpus], folder / "out", OPTIONS, source=RuleSource(), writers=[])


def begun(there, corpus, out, chance):
    """A build on the cluster that has extracted some shards."""
    cluster, endpoint = there
    beam = (f"--flink_master={cluster.master}", f"--job_endpoint={endpoint}", "--parallelism=2")
    process = BuildProcess(corpus, out, "flink", beam)
    build = process.start()
    moment = chance.randint(1, 12)
    deadline = time.monotonic() + 180
    while build.poll() is None and len(process.done) < moment and time.monotonic() < deadline:
        time.sleep(0.01)
    return process, build


@pytest.mark.server
@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_build_outlives_a_task_manager_that_is_replaced(seed, flink, undisturbed, tmp_path):
    corpus, expected, report = undisturbed
    chance = random.Random(seed)
    process, running = begun(flink, corpus, tmp_path / "out", chance)
    try:
        lost = chance.choice(flink[0].workers)
        lost.kill()
        assert (done := process.done)
        lost.start()  # as whatever keeps a cluster alive does
        told, _ = running.communicate(timeout=240)
    finally:
        end(running)
    assert running.returncode == 0, told
    assert digest(process.out) == digest(expected)
    assert str(report.counts.extracted) in told
    assert done.items() <= shards(process.out / FOLDER).items()


@pytest.mark.server
@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_build_that_lost_its_job_manager_goes_on_with_resume(seed, flink, undisturbed, tmp_path):
    corpus, expected, _ = undisturbed
    process, running = begun(flink, corpus, tmp_path / "out", random.Random(seed))
    job_manager = flink[0].job_manager
    try:
        job_manager.kill()
        assert (done := process.done)
        job_manager.start()  # it knows nothing of the job any more
        told, _ = running.communicate(timeout=300)
    finally:
        end(running)
    assert running.returncode == 1
    assert "continue with the same command and --resume" in told
    # It may be submitted again, and may as well go on here.
    report = build([corpus], process.out, OPTIONS, source=RuleSource(), writers=[], resume=True)
    assert report.counts.extracted["before"] > 0
    assert digest(process.out) == digest(expected)
    assert done.items() <= shards(process.out / FOLDER).items()
