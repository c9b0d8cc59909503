"""The graph behind the endpoint: the store of an output folder, opened again after the folder was updated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from runners.web.sparql import SparqlAnswer, SparqlRequest
from sinks.questions.sparql import SparqlStore


class StoredGraph:
    """Answers queries from the store of a graph.

    Args:
        folder: the output folder of a build.
        open_store: opens the store of the graph as it is now.
    """

    def __init__(self, folder: Path, open_store: Callable[[], SparqlStore]) -> None:
        self._report = folder / "run.json"
        self._open = open_store
        self._opening = threading.Lock()
        self._version = self._current_version()
        self._store = open_store()

    def triples(self) -> int:
        """Return the number of triples."""
        return len(self._current_store())

    def answer(self, request: SparqlRequest, cancelled: threading.Event) -> SparqlAnswer:
        """Answer a query in the form that the client accepts, in a process of its own and within limits."""
        found = self._current_store().serialize(
            request.query,
            request.types,
            request.default_graphs,
            request.named_graphs,
            cancelled.is_set,
        )
        return SparqlAnswer(found.form, None if found.media_type is None else found.body)

    def close(self) -> None:
        """End the processes that answer queries."""
        self._store.close()

    def _current_store(self) -> SparqlStore:
        """Return the store, opened again if a command has changed the graph; others keep the old one meanwhile."""
        version = self._current_version()
        if version is not None and version != self._version and self._opening.acquire(blocking=False):
            try:
                before, self._store, self._version = self._store, self._open(), version
                before.close()
            finally:
                self._opening.release()
        return self._store

    def _current_version(self) -> tuple[int, int] | None:
        try:
            status = self._report.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
