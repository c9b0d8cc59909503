"""Runs queries in processes of their own, within limits. All queries of this package go through it.

The text of a query is untrusted: it may come from a person, a web page or a language model. The process that runs it
can reach no file except its database and no network (`sinks.questions.confinement`), and it is stopped when it exceeds
its limit of time or memory. If the database engine crashes, only this query fails.

A server keeps one `QueryPool` per database and calls `ask` from any number of threads:

    pool = QueryPool("sinks.questions.sparql_engine:SparqlEngine", path, QueryLimits(seconds=10), size=4)
    head = pool.ask(request, output, cancelled=lambda: client_has_gone())

A process starts in about 0.1 s (SPARQL) or 0.3 s (Cypher), is kept for the next query, and is replaced if a query had
to be stopped. `cancelled` is called ten times a second from the thread of `ask`. `KeyboardInterrupt` stops a query at
once. The requests are documented in `sinks.questions.sparql_engine` and `sinks.questions.cypher_engine`; most callers
need `SparqlStore` and `CypherDatabase` only. Errors are those of `sinks.questions.query_limits`; an HTTP server answers
`TooManyQueries` with 503 and `Retry-After`, `QueryTimeout` with 503, and every other `QueryError` with 400.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import IO, Any

from sinks.questions import query_limits
from sinks.questions.query_limits import (
    QueryCancelled,
    QueryCrash,
    QueryError,
    QueryLimits,
    QueryTimeout,
    TooManyQueries,
)
from sinks.questions.query_worker import DATA, END, ERROR, HEAD, memory_message

# Seconds between two calls of `cancelled`.
_LOOK = 0.1
# Seconds for opening the database.
_OPENING = 60.0
# Isolated from the user's environment and working directory: modules come from where this process has them.
_START = (
    "import json, sys; arguments = json.loads(sys.argv[1]); "
    "sys.path += [place for place in arguments.pop('path_of_modules') if place not in sys.path]; "
    "from sinks.questions.query_worker import main; main(**arguments)"
)
_ERRORS = {
    name: kind for name, kind in vars(query_limits).items() if isinstance(kind, type) and issubclass(kind, QueryError)
}


@dataclass(frozen=True)
class _Running:
    """A process that has its database open; `messages` is what it writes to its standard error."""

    process: subprocess.Popen[bytes]
    connection: Connection
    messages: IO[bytes]
    end: Callable[[], object]


class QueryProcess:
    """One process that answers queries to one database, one at a time. The first query starts it.

    Args:
        engine: `module:class` of a `sinks.questions.query_worker.Engine`.
        path: the database, a file or a folder.
        limits: what each query may take.
    """

    def __init__(self, engine: str, path: Path, limits: QueryLimits) -> None:
        self._engine = engine
        self._path = path.resolve()
        self._limits = limits
        self._identity = identity(self._path)
        self._running: _Running | None = None

    @property
    def is_current(self) -> bool:
        """Whether the database is still the one that this process opened."""
        return self._identity == identity(self._path)

    def ask(
        self, request: Mapping[str, Any], output: IO[bytes], cancelled: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        """Answer one request.

        Args:
            request: what the engine takes; all values fit JSON.
            output: takes the bytes of the answer.
            cancelled: returns whether the answer is no longer wanted.

        Returns:
            The engine's description of the answer.

        Raises:
            QueryError: there is no answer. Its subclasses name the reason: `QueryTimeout`, `AnswerTooLarge`,
                `QueryCrash`, `QueryCancelled`.
        """
        try:
            running = self._running = self._running or self._start()
            return self._converse(running, request, output, cancelled)
        except (QueryTimeout, QueryCancelled, QueryCrash):
            self.close()
            raise
        except QueryError:
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process, even during a query."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def _start(self) -> _Running:
        ours, theirs = Pipe()
        # A file instead of a pipe, which would have to be read while the engine writes.
        messages = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        arguments = {
            "descriptor": theirs.fileno(),
            "engine": self._engine,
            "path": str(self._path),
            "path_of_modules": _path_of_modules(),
            **asdict(self._limits),
        }
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, json.dumps(arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=messages,
                pass_fds=[theirs.fileno()],
                # One arena of the C library's allocator for all threads, so that the limit is one of memory in use.
                env={"MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        finally:
            theirs.close()
        running = _Running(process, ours, messages, weakref.finalize(self, _end, process, ours))
        try:
            self._frame(running, time.monotonic() + _OPENING, None)
        except BaseException:
            running.end()
            raise
        return running

    def _converse(
        self,
        running: _Running,
        request: Mapping[str, Any],
        output: IO[bytes],
        cancelled: Callable[[], bool] | None,
    ) -> dict[str, Any]:
        deadline = time.monotonic() + self._limits.seconds
        try:
            running.connection.send_bytes(json.dumps(request).encode())
        except OSError:
            raise self._crash(running) from None
        head: dict[str, Any] = {}
        while True:
            frame = self._frame(running, deadline, cancelled)
            kind, content = frame[:1], memoryview(frame)[1:]
            if kind == HEAD:
                head = json.loads(bytes(content))
            elif kind == DATA:
                output.write(content)
            elif kind == END:
                return head

    def _frame(self, running: _Running, deadline: float, cancelled: Callable[[], bool] | None) -> bytes:
        """Return the next frame that is no error."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise QueryTimeout(self._timeout_message())
            try:
                if running.connection.poll(min(left, _LOOK) if cancelled else left):
                    frame = running.connection.recv_bytes()
                    break
            except (EOFError, OSError):
                raise self._crash(running) from None
            if cancelled is not None and cancelled():
                raise QueryCancelled("the query was cancelled")
        if frame[:1] == ERROR:
            error = json.loads(frame[1:])
            raise _ERRORS[error["kind"]](error["message"])
        return frame

    def _crash(self, running: _Running) -> QueryError:
        """Return the reason why the process ended."""
        try:
            status = running.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            status = 0
        running.messages.seek(0)
        output = running.messages.read().decode("utf-8", "replace").strip()
        if "memory allocation" in output or "bad_alloc" in output or "MemoryError" in output:
            return QueryCrash(memory_message(self._limits))
        if status == -signal.SIGALRM:
            return QueryTimeout(self._timeout_message())
        reason = signal.Signals(-status).name if status < 0 else (output.splitlines() or [f"status {status}"])[-1]
        return QueryCrash(
            f"the query ended the process of the database ({reason}): it is too complex or hits a fault of the "
            f"database; write it in another way"
        )

    def _timeout_message(self) -> str:
        return (
            f"the query took longer than {self._limits.seconds:g} seconds and was stopped: narrow its patterns, or "
            f"allow more time"
        )


class QueryPool:
    """Several processes for the queries to one database; any number of threads may share it.

    Args:
        engine, path, limits: as for `QueryProcess`.
        size: how many queries run at once.
        patience: seconds that a query waits for a free process before it is refused.
    """

    def __init__(
        self, engine: str, path: Path, limits: QueryLimits | None = None, size: int = 2, patience: float = 5.0
    ) -> None:
        self._limits = limits or QueryLimits()
        self._engine = engine
        self._path = path
        self._patience = patience
        self._turns = threading.BoundedSemaphore(size)
        self._idle: list[QueryProcess] = []
        self._lock = threading.Lock()

    def ask(
        self, request: Mapping[str, Any], output: IO[bytes], cancelled: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        """Answer one request, as `QueryProcess.ask`; a database that was replaced is reopened.

        Raises:
            TooManyQueries: too many queries run already.
            QueryError: there is no answer.
        """
        if not self._turns.acquire(timeout=self._patience):
            raise TooManyQueries("too many queries run at once: try again in a moment")
        try:
            process = self._take()
            try:
                return process.ask(request, output, cancelled)
            finally:
                with self._lock:
                    self._idle.append(process)
        finally:
            self._turns.release()

    def close(self) -> None:
        """End the processes that answer no query."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def _take(self) -> QueryProcess:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return QueryProcess(self._engine, self._path, self._limits)
            if process.is_current:
                return process
            process.close()


def identity(path: Path) -> tuple[int, ...]:
    """Return a state that changes when a file or folder is replaced or written; an empty one if there is none."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def _path_of_modules() -> list[str]:
    """Return the search path for modules: this package's own home first, never the working directory."""
    home = str(Path(__file__).resolve().parents[2])
    others = (place for place in sys.path if Path(place).is_absolute())
    return [home, *(place for place in others if place not in {home, str(Path.cwd())})]


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    connection.close()
