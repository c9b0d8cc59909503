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
    """A server cannot be downloaded or started; the message has the reason and the remedy."""


@dataclass
class ServerProcess:
    """A child process with its output in a file.

    Attributes:
        name: its name in messages.
        command: the command line.
        log: the file for its output, overwritten at every start.
    """

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start it without waiting until it is ready."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until it is ready.

        Raises:
            ServerUnavailable: it exits or takes too long; it is killed then.
        """
        deadline = time.monotonic() + _SECONDS_TO_START
        while not ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerUnavailable(f"{self.name} does not start: {self.last_words()}")
            time.sleep(0.2)

    def wait(self) -> None:
        """Wait until it exits."""
        if self.process is not None:
            self.process.wait()

    def stop(self) -> None:
        """Send SIGTERM and wait; kill it if it takes too long."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def kill(self) -> None:
        """Send SIGKILL and wait."""
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
    """Return whether something listens on a port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
