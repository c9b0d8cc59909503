"""One statement asked of the Cypher database, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ladybug


def run_statement(
    connection: ladybug.Connection, statement: str, parameters: Mapping[str, Any] | None = None
) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns and the rows.

    Raises:
        RuntimeError: the database refuses the statement.
    """
    result = connection.execute(statement, dict(parameters or {}))
    if isinstance(result, list):
        raise RuntimeError("several statements where one is expected")
    return list(result.get_column_names()), [list(row) for row in result]
