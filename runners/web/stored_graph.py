"""The graph behind the endpoint: the store of an output folder, opened again after the folder was updated."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pyoxigraph

from runners.web.sparql import GRAPH_TYPES, Kind, SparqlAnswer, SparqlRequest
from sinks.questions.cypher_engine import QueryError
from sinks.questions.sparql_engine import SparqlStore
from sinks.rdf.iris import PREFIXES

_SOLUTION_FORMATS = {
    "application/sparql-results+json": pyoxigraph.QueryResultsFormat.JSON,
    "application/sparql-results+xml": pyoxigraph.QueryResultsFormat.XML,
    "text/csv": pyoxigraph.QueryResultsFormat.CSV,
    "text/tab-separated-values": pyoxigraph.QueryResultsFormat.TSV,
    "application/json": pyoxigraph.QueryResultsFormat.JSON,
    "application/xml": pyoxigraph.QueryResultsFormat.XML,
    "text/xml": pyoxigraph.QueryResultsFormat.XML,
}
# Answers up to this size stay in memory.
_SPOOLED = 8 * 2**20


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
        """Answer a query and write the answer in the form that the client accepts."""
        try:
            found = self._current_store().query(request.query, list(request.default_graphs), list(request.named_graphs))
        except RuntimeError as error:  # found while the query is evaluated, for example a function that does not exist
            raise QueryError(f"the query cannot be answered: {error}") from error
        kind: Kind = "solutions"
        if isinstance(found, pyoxigraph.QueryTriples):
            kind = "graph"
        elif isinstance(found, pyoxigraph.QueryBoolean):
            kind = "boolean"
        name = request.types[kind]
        if name is None:
            return SparqlAnswer(kind, None)
        body: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - closed after it was sent
        try:
            if isinstance(found, pyoxigraph.QueryTriples):
                pyoxigraph.serialize(found, body, GRAPH_TYPES[name], prefixes=PREFIXES)
            else:
                found.serialize(body, _SOLUTION_FORMATS[name])
        except (OSError, ValueError, RuntimeError) as error:
            body.close()
            # For example triple terms, which JSON-LD does not have.
            raise QueryError(f"the answer cannot be written as {name}: {error}") from error
        except BaseException:
            body.close()
            raise
        return SparqlAnswer(kind, body)

    def _current_store(self) -> SparqlStore:
        """Return the store, opened again if a command has changed the graph; others keep the old one meanwhile."""
        version = self._current_version()
        if version is not None and version != self._version and self._opening.acquire(blocking=False):
            try:
                self._store, self._version = self._open(), version
            finally:
                self._opening.release()
        return self._store

    def _current_version(self) -> tuple[int, int] | None:
        try:
            status = self._report.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
