"""Cypher queries on the embedded database of a graph: read-only, within limits, with plain values and clear errors."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sinks.questions.query_limits import QueryError, QueryLimits
from sinks.questions.query_process import QueryPool

_ENGINE = "sinks.questions.cypher_engine:CypherEngine"
# Name of the database in the output folder of a build.
_FILE = "graph.db"


@dataclass(frozen=True)
class QueryResult:
    """The answer of a query: one name per column, one value per column in every row; all values fit JSON.

    Nodes and relationships are dictionaries of their properties, with their label or type under `_label`; paths are
    dictionaries with the lists `nodes` and `relationships`.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class CypherDatabase:
    """The Cypher database of a graph. Queries run in processes of their own, which are kept for the next query.

    Threads may share one. Close it, or use it in a `with` statement. A database that was built again is reopened.

    Args:
        database: the output folder of a build, or the file that `CypherWriter` wrote.
        limits: what one query may take.
        size: how many queries run at once.
        patience: seconds that a query waits for its turn before it is refused.

    Raises:
        QueryError: there is no database.
    """

    def __init__(
        self, database: str | Path, limits: QueryLimits | None = None, size: int = 1, patience: float = 5.0
    ) -> None:
        path = Path(database)
        path = path / _FILE if path.is_dir() else path
        if not path.is_file():
            raise QueryError(f"no database '{path}': build a graph first with 'factmill build INPUT --out DIR'")
        self._pool = QueryPool(_ENGINE, path, limits, size, patience)

    def query(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> QueryResult:
        """Answer a query.

        Args:
            cypher: one reading statement; nothing is ever written, and no file but the database is read.
            parameters: values of `$name` in it, which JSON can hold, so that no text needs to be pasted into a query.
            cancelled: called ten times a second; the query is stopped once it returns True.

        Raises:
            TooManyQueries: more queries wait than may run.
            QueryTimeout, AnswerTooLarge, QueryCrash, QueryCancelled: the query went beyond a limit or was stopped.
            QueryError: the query is wrong; the message names the place and the remedy.
        """
        request: dict[str, Any] = {"cypher": _text(cypher), "parameters": dict(parameters or {})}
        for name, value in request["parameters"].items():
            try:
                _text(json.dumps(value, ensure_ascii=False))
            except TypeError:
                raise QueryError(
                    f"the value of ${name} is no text, number, list or object: write date('2020-01-31') and the like "
                    f"in the query"
                ) from None
        output = io.BytesIO()
        head = self._pool.ask(request, output, cancelled)
        rows = [tuple(json.loads(line)) for line in output.getvalue().splitlines()]
        return QueryResult(tuple(head["columns"]), rows)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def query(
    database: str | Path,
    cypher: str,
    parameters: Mapping[str, Any] | None = None,
    limits: QueryLimits | None = None,
) -> QueryResult:
    """Answer one Cypher query in a process of its own; `CypherDatabase` answers several faster.

    Args:
        database: the output folder of a build, or the file that `CypherWriter` wrote.
        cypher, parameters: as for `CypherDatabase.query`.
        limits: what the query may take.

    Raises:
        QueryError: there is no database or no answer, as `CypherDatabase.query`.
    """
    with CypherDatabase(database, limits) as opened:
        return opened.query(cypher, parameters)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = repr(value[error.start])
        raise QueryError(f"the query or one of its values holds {half}, half of a surrogate pair and no text") from None
    return value
