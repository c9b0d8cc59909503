"""One statement for the Cypher database, and its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ladybug


def run_statement(
    connection: ladybug.Connection, statement: str, parameters: Mapping[str, Any] | None = None
) -> tuple[list[str], Iterator[list[Any]]]:
    """Return the names of the columns, and the rows as they come, to be read once.

    Raises:
        RuntimeError: the database refuses the statement.
    """
    result = connection.execute(statement, dict(parameters or {}))
    if isinstance(result, list):
        raise RuntimeError("several statements where one is expected")
    return list(result.get_column_names()), map(list, result)
