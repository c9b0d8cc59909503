"""SIGINT and SIGTERM: a command stops within seconds, ends its child processes, and says what was kept.

The result of an interrupted command is safe at any moment, because outputs are put into place only when they are
complete. So the process may leave without waiting for threads of Beam or torch, which would print tracebacks or abort.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

# Time for the blocks of a command to end in good order, for example to stop a job server.
_GRACE_SECONDS = 4.0


class Interruption:
    """Whether a signal asked this process to stop.

    Attributes:
        signal: SIGINT or SIGTERM, or None as long as none came.
        message: returns what to tell the user; commands replace it.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.message: Callable[[], str] = lambda: "stopped"
        self._leaving = threading.Lock()
        self._watchdog = threading.Timer(_GRACE_SECONDS, self.leave)
        self._watchdog.daemon = True

    @property
    def status(self) -> int:
        """The exit status: 130 after SIGINT, 143 after SIGTERM."""
        return 128 + (self.signal or signal.SIGINT)

    def leave(self) -> None:
        """Say what was kept, end all child processes, and leave at once."""
        if not self._leaving.acquire(blocking=False):
            threading.Event().wait()  # another thread is leaving already
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.write(f"\n{self.message()}\n")
            sys.stderr.flush()
        _end_children()
        os._exit(self.status)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            self.leave()  # the second signal does not wait
        self.signal = number
        # Errors that follow are consequences of the signal, also the KeyboardInterrupt itself where Python ignores it.
        logging.disable(logging.CRITICAL)
        sys.unraisablehook = lambda _: None
        self._watchdog.start()
        raise KeyboardInterrupt


@contextmanager
def handling_signals() -> Iterator[Interruption]:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM inside the block, and leave if that does not end it.

    Libraries may swallow the exception, or turn it into one of their own; `leave` is called after some seconds then.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, interruption._handle)
    try:
        yield interruption
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if interruption.signal is not None:
            interruption._watchdog.cancel()
            sys.unraisablehook = sys.__unraisablehook__
            logging.disable(logging.NOTSET)


def _end_children() -> None:
    """Send SIGKILL to all descendants of this process; Linux lists them in /proc."""
    for child in descendants(os.getpid()):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)


def descendants(process: int) -> Iterator[int]:
    """Yield the ids of all processes below one, children of a process before itself; Linux only."""
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, listing.read_text().split()):
                yield from descendants(child)
                yield child
