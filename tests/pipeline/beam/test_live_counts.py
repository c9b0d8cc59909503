import multiprocessing
import threading
import time

from pipeline.beam.live_counts import LiveCounter, read_live_counts
from pipeline.beam.run import report_progress


def count(folder):
    tally = LiveCounter(folder, "read")
    for _ in range(100):
        tally.add(done=1)
    tally.add(done=1, dead=1)
    tally.flush()


def test_counts_of_threads_and_processes_add_up(tmp_path):
    threads = [threading.Thread(target=count, args=(str(tmp_path),)) for _ in range(4)]
    process = multiprocessing.get_context("fork").Process(target=count, args=(str(tmp_path),))
    for worker in (process, *threads):
        worker.start()
    for worker in (*threads, process):
        worker.join()
    assert read_live_counts(tmp_path) == {"read": (505, 5)}


def test_a_folder_that_is_not_there_does_no_harm(tmp_path):
    count(str(tmp_path / "elsewhere"))
    assert read_live_counts(tmp_path / "elsewhere") == {}


def test_half_written_counts_are_passed_over(tmp_path):
    (tmp_path / "1.json").write_text('{"read": [1')
    assert read_live_counts(tmp_path) == {}


def test_a_listener_hears_totals_and_ends(tmp_path):
    heard = []
    with report_progress(tmp_path, lambda *args, **more: heard.append((*args, more["ended"]))) as watch:
        LiveCounter(str(tmp_path), "read").add(done=7, dead=2)
        LiveCounter(str(tmp_path), "extract").add(done=3)
        LiveCounter(str(tmp_path), "extract").flush()
        deadline = time.monotonic() + 10
        while ("extract", 3, 7, 0, False) not in heard and time.monotonic() < deadline:
            time.sleep(0.02)
        LiveCounter(str(tmp_path), "extract").add(done=2)
        LiveCounter(str(tmp_path), "extract").flush()
    assert ("read", 7, None, 2, True) in heard
    assert ("extract", 3, 7, 0, False) in heard
    assert heard[-1] == ("extract", 5, 7, 0, True)
    assert set(watch.seconds()) == {"read", "extract"}


def test_a_listener_hears_how_many_documents_every_stage_of_the_merge_has(tmp_path):
    heard = []
    with report_progress(tmp_path, lambda *args, **more: heard.append((*args, more["ended"])), 9) as watch:
        for stage, done in (("link", 9), ("resolve", 9), ("merge", 4), ("write", 20)):
            LiveCounter(str(tmp_path), stage).add(done=done)
        LiveCounter(str(tmp_path), "write").flush()
    assert {("link", 9, 9, 0, True), ("resolve", 9, 9, 0, True), ("merge", 4, 9, 0, True)} <= set(heard)
    assert heard[-1] == ("write", 20, None, 0, True)
    assert list(watch.seconds()) == ["link", "resolve", "merge", "write"]
