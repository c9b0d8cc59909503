"""The progress of a build or a training: a live line per stage on a terminal, lines with the time in a log."""

from __future__ import annotations

import datetime
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from runners.display.quantities import duration

if TYPE_CHECKING:
    from rich.progress import TaskID

_LOG_SECONDS = 5.0
# A rate over less time than this is not shown.
_SHORTEST_RATE = 0.5


@dataclass
class Stage:
    """The progress of one stage of a build, or of a training.

    Attributes:
        name: `read`, `extract`, `link`, `resolve`, `merge`, `write`, a file that is written, or `train`.
        started: when it began, in seconds of the clock.
        done: documents (or rows) so far.
        total: how many there will be, when that is known.
        dead_letters: how many of them became dead letters.
        ended: when it ended, or None.
        earlier: how many of the documents an earlier run had done, which do not count for the rate.
        note: further text for the line.
    """

    name: str
    started: float
    done: int = 0
    total: int | None = None
    dead_letters: int = 0
    ended: float | None = None
    earlier: int = 0
    note: str = ""

    def rate(self, now: float) -> float:
        """Return documents per second since the stage began; 0 before the first."""
        seconds = (self.ended or now) - self.started
        return (self.done - self.earlier) / seconds if seconds > 0 else 0.0

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the end at this rate, or None if that is not known."""
        rate = self.rate(now)
        left = 0 if self.total is None else self.total - self.done
        return left / rate if left > 0 and rate > 0 else None


class Progress(ABC):
    """Shows the stages of a build while its `with` block runs; may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stages: dict[str, Stage] = {}

    def __call__(
        self,
        stage: str,
        done: int,
        total: int | None = None,
        dead_letters: int = 0,
        ended: bool = False,
        earlier: int = 0,
        note: str = "",
    ) -> None:
        """Record and show that `stage` has done `done` of `total`, of which `dead_letters` became dead letters.

        `earlier` is taken from the first call for a stage.
        """
        with self._lock:
            now = self._clock()
            state = self._stages.setdefault(stage, Stage(stage, started=now, earlier=earlier))
            # Counts come from several workers and may overtake each other.
            state.done = max(state.done, done)
            state.dead_letters = max(state.dead_letters, dead_letters)
            state.total = total if total is not None else state.total
            state.note = note or state.note
            if ended and state.ended is None:
                state.ended = now
            self._show(state, now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @abstractmethod
    def _show(self, stage: Stage, now: float) -> None:
        """Update the display of a stage."""


class LogProgress(Progress):
    """Writes a line with the time when a stage begins, when it ends, and every few seconds if it has advanced."""

    def __init__(
        self, stream: TextIO, seconds: float = _LOG_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._stream = stream
        self._seconds = seconds
        self._written: dict[str, tuple[float, tuple[int, int, bool]]] = {}

    def _show(self, stage: Stage, now: float) -> None:
        current = (stage.done, stage.dead_letters, stage.ended is not None)
        when, before = self._written.get(stage.name, (None, None))
        due = when is None or now - when >= self._seconds or stage.ended is not None
        if due and current != before:
            self._written[stage.name] = (now, current)
            self._stream.write(f"{datetime.datetime.now():%H:%M:%S}  {describe(stage, now)}\n")
            self._stream.flush()


class LiveProgress(Progress):
    """Keeps one line per stage up to date on a terminal."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bars

        super().__init__(clock)
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            console=Console(file=stream),
            refresh_per_second=4,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of the lines on the terminal."""
        self._bars.stop()

    def _show(self, stage: Stage, now: float) -> None:
        if stage.name not in self._tasks:
            self._tasks[stage.name] = self._bars.add_task(f"{stage.name:8}", total=None, figures="")
        _, _, figures = describe(stage, now).partition(" ")
        # Without a known total the bar pulses; an ended stage has a full bar.
        whole = max(stage.done, 1) if stage.ended is not None else stage.total
        completed = whole if stage.ended is not None else stage.done
        self._bars.update(self._tasks[stage.name], total=whole, completed=completed, figures=figures.strip())


def progress_on(stream: TextIO | None = None) -> Progress:
    """Return a live display if the stream (None: standard error) is a terminal, otherwise a log."""
    stream = stream or sys.stderr
    return LiveProgress(stream) if stream.isatty() else LogProgress(stream)


def describe(stage: Stage, now: float) -> str:
    """Return the state of a stage in one line, for example `extract   1,240 of 6,000  82.0/s  58 s left`."""
    of = f" of {stage.total:,}" if stage.total is not None and stage.ended is None else ""
    parts = [f"{stage.name:8}", f"{stage.done:,}{of}"]
    if stage.done > stage.earlier and (stage.ended or now) - stage.started >= _SHORTEST_RATE:
        parts.append(f"{stage.rate(now):,.1f}/s")
    left = stage.seconds_left(now)
    if stage.ended is not None:
        parts.append(f"done in {duration(stage.ended - stage.started)}")
    elif left is not None:
        parts.append(f"{duration(left)} left")
    if stage.note:
        parts.append(stage.note)
    if stage.dead_letters:
        parts.append(f"{stage.dead_letters:,} dead letter{'s' if stage.dead_letters > 1 else ''}")
    return "  ".join(parts)
