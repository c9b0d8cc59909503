"""The most memory that processes below this one ever had resident."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.pipeline.faulty import below


@contextmanager
def watched(kinds: Mapping[str, str], seconds: float = 1.0) -> Iterator[dict[str, int]]:
    """Look at the processes below this one every so many seconds, and leave the most MiB that one of each kind had.

    Args:
        kinds: a part of the command line by which each kind of process is known.
        seconds: between two looks; the kernel keeps the peak, so only processes that end sooner are missed.
    """
    most: dict[str, int] = {}
    done = threading.Event()

    def look() -> None:
        while not done.wait(seconds):
            for pid in below(os.getpid()):
                try:
                    line = Path(f"/proc/{pid}/cmdline").read_text()
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue  # it has just ended
                for kind, sign in kinds.items():
                    if sign in line and "VmHWM" in status:
                        most[kind] = max(most.get(kind, 0), int(status.split("VmHWM:")[1].split()[0]) // 1024)

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield most
    finally:
        done.set()
        watch.join()
