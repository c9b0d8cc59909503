"""Server processes on this machine: start them, wait until they are ready, stop or kill them."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS_TO_START = 180
_SECONDS_TO_STOP = 60


class ServerUnavailable(RuntimeError):
    """A server cannot be fetched or does not start; the message says why and what would help."""


@dataclass
class ServerProcess:
    """A program that runs beside us, and whose output goes to a file.

    Attributes:
        name: what people call it.
        command: what to run.
        log: where its output goes; a new start begins a new file.
    """

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start it, and return at once."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return when it is ready.

        Raises:
            ServerUnavailable: it ends or takes too long before; it is stopped then.
        """
        deadline = time.monotonic() + _SECONDS_TO_START
        while not ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerUnavailable(f"{self.name} does not start: {self.last_words()}")
            time.sleep(0.2)

    def wait(self) -> None:
        """Return when it has ended by itself."""
        if self.process is not None:
            self.process.wait()

    def stop(self) -> None:
        """Let it end in good order."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def kill(self) -> None:
        """End it at once, as a machine without power does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def last_words(self) -> str:
        """Return the last lines of its output."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return " | ".join(lines[-3:]) or f"see the logs in '{self.log.parent}'"


def free_port() -> int:
    """Return a port of the loopback device that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something listens on a port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
