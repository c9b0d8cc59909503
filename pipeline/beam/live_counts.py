"""Live counts of a run for the display of progress: workers write small files, and the launcher sums them.

The report of a build is counted by the pipeline itself, which is correct also if a bundle runs twice. If workers cannot
reach the folder, on a cluster for example, nothing is counted.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_SECONDS_BETWEEN_WRITES = 0.2


@dataclass(frozen=True)
class LiveCounter:
    """Counts documents of one stage; it can be pickled and used from any thread of any process.

    Attributes:
        folder: folder of the files; created by the launcher.
        stage: name of the stage.
    """

    folder: str
    stage: str

    def add(self, done: int = 0, dead: int = 0) -> None:
        """Count documents that the stage has processed, and those of them that became dead letters."""
        _of_process(self.folder).add(self.stage, done, dead)

    def flush(self) -> None:
        """Write the counts; called at the end of a bundle."""
        _of_process(self.folder).write()


def read_live_counts(folder: str | Path) -> dict[str, tuple[int, int]]:
    """Return (done, dead) of every stage, summed over all processes."""
    done: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    for path in Path(folder).glob("*.json"):
        try:
            counts = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue  # the worker has just ended, or is writing its first counts
        for stage, (stage_done, stage_dead) in counts.items():
            done[stage] += stage_done
            dead[stage] += stage_dead
    return {stage: (done[stage], dead[stage]) for stage in done}


class _ProcessTally:
    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.json"
        self._counts: dict[str, list[int]] = {}
        self._lock = threading.Lock()
        self._written = 0.0

    def add(self, stage: str, done: int, dead: int) -> None:
        with self._lock:
            counts = self._counts.setdefault(stage, [0, 0])
            counts[0] += done
            counts[1] += dead
            due = time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES
        if due:
            self.write()

    def write(self) -> None:
        with self._lock:
            self._written = time.monotonic()
            if not self._path.parent.is_dir():
                return
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(self._counts), "utf-8")
            new.replace(self._path)


_PROCESS_TALLIES: dict[str, _ProcessTally] = {}
_PROCESS_LOCK = threading.Lock()


def _of_process(folder: str) -> _ProcessTally:
    with _PROCESS_LOCK:
        if folder not in _PROCESS_TALLIES:
            _PROCESS_TALLIES[folder] = _ProcessTally(folder)
        return _PROCESS_TALLIES[folder]
