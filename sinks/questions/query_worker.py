"""The process that answers queries: it opens one database, gives up all other files and the network, and serves.

`sinks.questions.query_process` starts it. Messages are frames of bytes; the first byte of a frame is its kind.
A request is JSON. Its answer is a `HEAD` frame with JSON, `DATA` frames with the bytes of the answer, and an `END`
frame; or an `ERROR` frame with JSON at any point.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from sinks.questions.confinement import (
    is_open,
    leave_network,
    limit_memory,
    memory_meter,
    outside_reach,
    restrict_files,
    seal_descriptors,
)
from sinks.questions.query_limits import AnswerTooLarge, QueryError, QueryLimits

HEAD, DATA, END, ERROR = b"H", b"D", b"E", b"X"
# Bytes of a frame with data.
_FRAME = 2**16
# Bytes of stack for parsing and evaluating, which recurse. Only pages that are used take memory.
_STACK = 512 * 2**20
# Bytes that the engine may write to its standard error, for example the reason of a crash.
_MESSAGES = 2**16
# Descriptors that an engine may have besides one for each file of its database.
_DESCRIPTORS = 1_024
# Seconds after the time limit of a query until the process ends by itself, in case its parent was killed.
_GRACE = 2.0


class Engine(Protocol):
    """A database that answers queries; implemented in `sinks.questions.cypher_engine` and `sparql_engine`.

    Attributes:
        heap: bytes that the process may allocate beyond what it has once the database is open.
    """

    heap: int

    def __init__(self, path: Path, limits: QueryLimits) -> None: ...

    @staticmethod
    def load_libraries() -> None:
        """Load all libraries that the engine needs later, when it can open them no longer."""

    def files(self) -> list[Path]:
        """Return every file that the engine reads."""
        ...

    def accept_reach(self, files: bool, network: bool) -> None:
        """Take note of what a query can reach in this process; raise QueryError if no query is safe."""
        ...

    def answer(self, request: Mapping[str, Any], head: Callable[[dict[str, Any]], None], output: Output) -> None:
        """Answer a request: call `head` once, then write the answer to `output`."""
        ...


class Output:
    """A binary file for an answer, sent on in frames; one that grows too large is refused.

    Args:
        send: sends a frame.
        limit: bytes that the answer may have.
    """

    def __init__(self, send: Callable[[bytes], None], limit: int) -> None:
        self._send = send
        self._limit = limit
        self._size = 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        """Add a part of the answer.

        Raises:
            AnswerTooLarge: the answer has more bytes than it may have.
        """
        self._size += len(data)
        if self._size > self._limit:
            raise AnswerTooLarge(f"the answer has more than {self._limit / 2**20:,.0f} MB: ask for less, with a LIMIT")
        self._waiting += data
        if len(self._waiting) >= _FRAME:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Send the buffered bytes."""
        if self._waiting:
            self._send(DATA + bytes(self._waiting))
            self._waiting.clear()


def main(descriptor: int, engine: str, path: str, **limits: Any) -> None:
    """Answer requests from a descriptor until its other end is closed.

    Args:
        descriptor: of a socket to the parent process.
        engine: `module:class`.
        path: the database.
        limits: the attributes of `QueryLimits`.
    """
    lowest = os.dup(descriptor)
    os.close(descriptor)
    connection = Connection(lowest)
    maker: type[Engine] = getattr(importlib.import_module(engine.partition(":")[0]), engine.partition(":")[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MESSAGES, _MESSAGES))
    needed = _DESCRIPTORS + sum(1 for _ in Path(path).glob("*"))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = needed if most == resource.RLIM_INFINITY else min(most, needed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    leave_network()
    maker.load_libraries()
    meter = memory_meter()
    # Before the engine starts threads, which inherit it.
    restrict_files(Path(path))
    threading.stack_size(_STACK)
    thread = threading.Thread(target=_serve, args=(connection, maker, Path(path), QueryLimits(**limits), meter))
    thread.start()
    thread.join()
    # Do not wait for threads of the engine.
    os._exit(0)


def _serve(connection: Connection, maker: type[Engine], path: Path, limits: QueryLimits, meter: int | None) -> None:
    try:
        engine = maker(path, limits)
        limit_memory(engine.heap, meter)
        if is_open(engine.files()):
            seal_descriptors()
        reach = outside_reach()
        engine.accept_reach(files=reach.files, network=reach.network)
    except Exception as error:
        connection.send_bytes(ERROR + _described(error))
        return
    connection.send_bytes(HEAD + json.dumps({"files": reach.files, "network": reach.network}).encode())
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + _GRACE)
        output = Output(connection.send_bytes, limits.answer)
        try:
            engine.answer(request, lambda head: connection.send_bytes(HEAD + json.dumps(head).encode()), output)
            output.flush()
            connection.send_bytes(END)
        except BrokenPipeError:
            return
        except MemoryError:
            connection.send_bytes(ERROR + _described(QueryError(memory_message(limits))))
        except Exception as error:
            connection.send_bytes(ERROR + _described(error))
        signal.setitimer(signal.ITIMER_REAL, 0)


def memory_message(limits: QueryLimits) -> str:
    """Return the message for a query that needs too much memory."""
    return (
        f"the query needs more memory than the {limits.memory / 2**30:,.1f} GB that it may take: make its patterns "
        f"share variables, and add a LIMIT"
    )


def _described(error: Exception) -> bytes:
    known = isinstance(error, QueryError)
    message = str(error) if known else f"the query cannot be answered: {error} ({type(error).__name__})"
    return json.dumps({"kind": type(error).__name__ if known else "QueryError", "message": message}).encode()
