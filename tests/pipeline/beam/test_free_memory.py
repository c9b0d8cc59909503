import platform
import resource
from pathlib import Path

import pytest

from pipeline.beam.free_memory import give_back

PIECES, SIZE = 20_000, 4_096


def resident():
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")
def test_what_lies_between_is_given_back():
    pieces = [bytearray(SIZE) for _ in range(PIECES)]
    del pieces[:-1]  # the last one holds the end of the heap
    before = resident()
    give_back()
    assert before - resident() > PIECES * SIZE / 2
    assert pieces == [bytearray(SIZE)]
