"""SPARQL queries on the embedded store of a graph: read-only, within limits, isolated from the network."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

import pyoxigraph

from schemas import RelationSchema
from sinks.questions.query_limits import QueryLimits
from sinks.questions.query_process import QueryPool
from sinks.rdf.store import make_store

_ENGINE = "sinks.questions.sparql_engine:SparqlEngine"
# Answers up to this size stay in memory.
_SPOOLED = 8 * 2**20
_JSON, _N_TRIPLES = "application/sparql-results+json", "application/n-triples"

Form = Literal["solutions", "boolean", "graph"]
Answer = pyoxigraph.QuerySolutions | pyoxigraph.QueryBoolean | list[pyoxigraph.Triple]


@dataclass(frozen=True)
class SerializedAnswer:
    """The answer of a query as bytes.

    Attributes:
        form: `solutions` (SELECT), `boolean` (ASK) or `graph` (CONSTRUCT, DESCRIBE).
        media_type: of the bytes; None if none was named for this form, and then there are no bytes.
        body: a file at its beginning; the caller closes it.
    """

    form: Form
    media_type: str | None
    body: IO[bytes]


class SparqlStore:
    """The RDF store of a graph. Queries run in processes of their own, which are kept for the next query.

    Threads may share one. Close it, or use it in a `with` statement. The store is made when it is missing or older than
    the tables, also after the graph was built again.

    Args:
        folder: the output folder of a build.
        schema: the relation schema that the graph was built with.
        limits: what one query may take.
        size: how many queries run at once.
        patience: seconds that a query waits for its turn before it is refused.

    Raises:
        TableError, WriteError, OSError: as `sinks.rdf.store.make_store`.
    """

    def __init__(
        self,
        folder: str | Path,
        schema: RelationSchema,
        limits: QueryLimits | None = None,
        size: int = 1,
        patience: float = 5.0,
    ) -> None:
        self._folder = Path(folder)
        self._schema = schema
        self._arguments = (limits, size, patience)
        self._path = make_store(self._folder, schema)
        self._pool = QueryPool(_ENGINE, self._path, *self._arguments)

    def __len__(self) -> int:
        """Return the number of triples."""
        triples: int = self._pool.ask({"size": True}, io.BytesIO())["triples"]
        return triples

    def query(
        self,
        sparql: str,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        """Answer one query; the prefixes of `sinks.rdf.prefixes` need no declaration.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE.
            default_graphs, named_graphs: IRIs of the graphs to query, as in the SPARQL protocol.

        Returns:
            Solutions or a truth value of pyoxigraph, or a list of triples.

        Raises:
            QueryError: as `serialize`.
        """
        media_types: dict[Form, str | None] = {"solutions": _JSON, "boolean": _JSON, "graph": _N_TRIPLES}
        answer = self.serialize(sparql, media_types, default_graphs, named_graphs)
        with answer.body as body:
            if answer.form == "graph":
                return [quad.triple for quad in pyoxigraph.parse(body, format=pyoxigraph.RdfFormat.N_TRIPLES)]
            return pyoxigraph.parse_query_results(body.read(), format=pyoxigraph.QueryResultsFormat.JSON)

    def serialize(
        self,
        sparql: str,
        media_types: Mapping[Form, str | None],
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> SerializedAnswer:
        """Answer one query in a standard format.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE.
            media_types: the wanted media type for each form of an answer: `solutions`, `boolean`, `graph`; None for a
                form that is not acceptable.
            default_graphs, named_graphs: as for `query`.
            cancelled: called ten times a second; the query is stopped once it returns True.

        Raises:
            TooManyQueries: more queries wait than may run.
            QueryTimeout, AnswerTooLarge, QueryCrash, QueryCancelled: the query went beyond a limit or was stopped.
            QueryError: it is no such query, or asks another server; the message names the place and the remedy.
        """
        request: dict[str, Any] = {
            "sparql": sparql,
            "media_types": dict(media_types),
            "default_graphs": list(default_graphs),
            "named_graphs": list(named_graphs),
        }
        body: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOLED)  # type: ignore[assignment]  # noqa: SIM115
        try:
            head = self._pool.ask(request, body, cancelled)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return SerializedAnswer(head["form"], media_types.get(head["form"]), body)

    def refresh(self) -> None:
        """Make the store again if the graph was built again since; a server calls it now and then.

        Raises:
            TableError, WriteError, OSError: as `sinks.rdf.store.make_store`.
        """
        path = make_store(self._folder, self._schema)
        if path != self._path:
            pool, self._pool = self._pool, QueryPool(_ENGINE, path, *self._arguments)
            self._path = path
            pool.close()

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
