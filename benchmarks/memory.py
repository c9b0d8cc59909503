"""Memory of the default runner: builds of many small texts, and the most memory that each had resident.

    python -m benchmarks.memory [--texts 2000 5000] [--workers 2]

Each build is one process, whose peak the kernel counts, as `/usr/bin/time -v` shows it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import processor
from runners.execution.interruption import descendants

RESULTS = Path(__file__).parent / "results" / "memory.json"
_NAMES = ("Ada", "Berta", "Carla", "Doris", "Edith", "Frida", "Greta", "Hilda", "Irma", "Jutta")
_TOWNS = ("London", "Paris", "Kyoto", "Lima", "Oslo", "Turin", "Quito", "Perth")


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
            for pid in descendants(os.getpid()):
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


def write_texts(folder: Path, number: int) -> None:
    """Write texts of about 45 characters, each in a file of its own."""
    folder.mkdir()
    for at in range(number):
        name, town = _NAMES[at % len(_NAMES)], _TOWNS[at % len(_TOWNS)]
        (folder / f"{at:06}.txt").write_text(f"{name} M{at:05} was born in {town} in {1800 + at % 150}.", "utf-8")


def measure(texts: Path, out: Path, workers: int) -> dict[str, object]:
    """Build a graph and return what the process took, and a hash of the tables."""
    command = [sys.executable, "-P", "-m", "runners.cli.main", "build", texts, "--out", out, "--workers", workers]
    began = time.monotonic()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the build ended with status {process.returncode}")
    tables = hashlib.sha256()
    for path in sorted((out / "tables").glob("*.parquet")):
        tables.update(path.read_bytes())
    return {
        "peak_mb": round(usage.ru_maxrss / 1024),
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "tables_sha256": tables.hexdigest(),
    }


def main() -> None:
    """Measure builds of several sizes."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=int, nargs="+", default=[2_000, 5_000])
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"processor": processor(), "builds": {}}
    with tempfile.TemporaryDirectory() as work:
        for number in given.texts:
            texts = Path(work) / str(number)
            write_texts(texts, number)
            name = f"{number} texts, {given.workers} workers"
            results["builds"][name] = measure(texts, Path(work) / f"graph-{number}", given.workers)
            print(name, json.dumps(results["builds"][name]), flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
