import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.beam import memory
from pipeline.beam.memory import release_free_memory

PIECES, SIZE = 20_000, 4_096


def resident():
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")
def test_what_lies_between_is_given_back():
    pieces = [bytearray(SIZE) for _ in range(PIECES)]
    del pieces[:-1]  # the last one holds the end of the heap
    before = resident()
    release_free_memory()
    assert before - resident() > PIECES * SIZE / 2
    assert pieces == [bytearray(SIZE)]


PROGRAM = """
import resource, sys, threading
from pipeline.beam.memory import set_memory_policy

if sys.argv[1] == "policy":
    set_memory_policy()


def work():
    pieces = [bytes(100_000) for _ in range(300)]
    barrier.wait()
    del pieces


barrier = threading.Barrier(16)
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open("/proc/self/maps") as maps:
    # Heaps of threads lie in regions of 64 MiB.
    print(len({int(line.split("-")[0], 16) >> 26 for line in maps if line.split()[-1] == "0"}))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap for each thread")
def test_threads_share_two_heaps_under_the_policy():
    heaps = {
        how: int(subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True).stdout)
        for how in ("policy", "none")
    }
    assert heaps["policy"] < heaps["none"]


def test_what_the_environment_says_wins(monkeypatch):
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("", ""))
    memory.set_memory_policy()
    assert os.environ["LRU_CACHE_CAPACITY"] == "7"
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "32"
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY")
