"""Cypher queries on the embedded database: read-only, plain values out, mistakes explained."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import ladybug

from sinks.cypher.query_errors import explain, first_line
from sinks.cypher.statement import run_statement

# Memory for pages and intermediate results; a query that needs more is refused instead of exhausting the machine.
_MEMORY = 2 * 2**30
_READING = ("MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`|//[^\n]*|/\*.*?\*/""", re.DOTALL)
# What the database adds to nodes, relationships and paths, beside `_LABEL`.
_INTERNAL = {"_ID", "_SRC", "_DST"}


class QueryError(ValueError):
    """A query could not be answered; the message says where it is wrong and what to write instead."""


@dataclass(frozen=True)
class QueryResult:
    """The answer of a query: one name per column, one value per column in every row; all values fit JSON.

    Nodes and relationships are dictionaries of their properties, with their label or type under `_label`; paths are
    dictionaries with the lists `nodes` and `relationships`.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def query(database: str | Path, cypher: str, parameters: Mapping[str, Any] | None = None) -> QueryResult:
    """Answer a Cypher query from the database that `CypherWriter` wrote; several processes may ask at once.

    Args:
        database: the file, or the output folder of a build that holds it as `graph.db`.
        cypher: one reading statement; nothing is ever written.
        parameters: values of `$name` in it, so that no text needs to be pasted into a query.

    Raises:
        QueryError: there is no database, or the query is wrong; the message names the place and the remedy.
    """
    database = Path(database)
    path = database / "graph.db" if database.is_dir() else database
    if not path.is_file():
        raise QueryError(f"no database '{path}': build a graph first with 'factmill build INPUT --out DIR'")
    given = dict(parameters or {})
    _check(cypher, given)
    try:
        opened = ladybug.Database(path, read_only=True, buffer_pool_size=_MEMORY)
    except RuntimeError as error:
        raise QueryError(f"'{path}' cannot be opened as a graph ({first_line(str(error))}): build it again") from error
    with opened, ladybug.Connection(opened) as connection:
        try:
            columns, rows = run_statement(connection, cypher, given)
        except RuntimeError as error:
            raise QueryError(explain(str(error), cypher, connection)) from error
    return QueryResult(column_names(cypher, columns), [tuple(_plain(value) for value in row) for row in rows])


def column_names(cypher: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns as the query writes them, or as the database gives them where that is unclear.

    The database calls a column after its own form of the expression, which for `label(r)` lists all labels there are.
    """
    code = _blank(cypher)
    depth = 0
    start, end = None, len(code)
    cuts: list[int] = []
    for match in re.finditer(
        r"[([{]|[)\]}]|,|;|\b(?:RETURN(?:\s+DISTINCT)?|ORDER\s+BY|SKIP|LIMIT|UNION)\b", code, re.I
    ):
        word = match[0].upper()
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth -= 1
        elif depth == 0 and word.startswith("RETURN"):
            start, end, cuts = match.end(), len(code), []
        elif depth == 0 and start is not None and end == len(code):
            if word == ",":
                cuts.append(match.start())
            else:
                end = match.start()
    if start is None or len(cuts) + 1 != len(given):
        return tuple(given)
    edges = [start - 1, *cuts, end]
    written = [" ".join(cypher[a + 1 : b].split()) for a, b in pairwise(edges)]
    if "*" in written:
        return tuple(given)
    aliases = (re.search(r"\sAS\s+(?:`([^`]+)`|(\w+))$", text, re.I) for text in written)
    return tuple(alias[1] or alias[2] if alias else text for alias, text in zip(aliases, written, strict=True))


def _check(cypher: str, parameters: Mapping[str, Any]) -> None:
    """Refuse what does not only read, and parameters without a value, which the database takes for null."""
    code = _blank(cypher).strip().removesuffix(";").rstrip()
    if not code:
        raise QueryError("the query is empty: try 'MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name LIMIT 10'")
    word = code.split()[0]
    if not re.match(rf"(?:{'|'.join(_READING)})\b", code, re.I):
        raise QueryError(f"a query only reads: it begins with {', '.join(_READING)}, not with '{word}'")
    if ";" in code:
        raise QueryError("one query at a time: there is a ';' inside")
    for name in re.findall(r"\$(\w+)", code):
        if name not in parameters:
            raise QueryError(f"the query uses ${name}, and no value was given for it")
    try:
        json.dumps([cypher, _plain(parameters)], ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = repr(error.object[error.start])
        raise QueryError(f"the query or one of its values holds {half}, half of a surrogate pair and no text") from None


def _blank(cypher: str) -> str:
    """Return the query with spaces in place of quoted texts, quoted names and comments; positions stay."""
    return _QUOTED.sub(lambda match: " " * len(match[0]), cypher)


def _plain(value: Any) -> Any:
    """Return a value of the database as one that JSON can hold."""
    match value:
        case None | bool() | int() | str():
            return value
        case decimal.Decimal() if value == value.to_integral_value():  # sums of whole numbers have 128 bits
            return int(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case {"_NODES": nodes, "_RELS": relationships}:
            return {"nodes": _plain(nodes), "relationships": _plain(relationships)}
        case {"offset": offset, "table": table} if len(value) == 2:
            return f"{table}:{offset}"
        case dict():
            return {
                "_label" if key == "_LABEL" else str(key): _plain(item)
                for key, item in value.items()
                if key not in _INTERNAL
            }
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return str(value)
