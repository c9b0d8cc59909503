"""Cypher in the process of a query: opens the embedded database, answers, and explains errors.

A request is `{"cypher": TEXT, "parameters": {...}}`. The head of an answer is `{"columns": [...]}`, and its bytes are
one JSON array per row, each on a line.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import ladybug

from sinks.cypher.query_errors import explain, first_line
from sinks.cypher.statement import run_statement
from sinks.questions.query_limits import QueryError, QueryLimits
from sinks.questions.query_worker import Output

_READING = ("MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`|//[^\n]*|/\*.*?\*/""", re.DOTALL)
# Statements that read files. The process of a query cannot open any; this check only gives a clearer message.
_FILES = re.compile(r"\b(?:LOAD\s+FROM|COPY\s|ATTACH\s|INSTALL\s|(?:EXPORT|IMPORT)\s+DATABASE|READ_[A-Z_]+\s*\()", re.I)
_NO_FILES = "a query reads this graph and no other file: LOAD FROM, COPY, ATTACH, INSTALL and the like are refused"
# Keys that the database adds to nodes, relationships and paths, except `_LABEL`.
_INTERNAL = {"_ID", "_SRC", "_DST"}
# The address space that the database reserves for its pages: a power of two.
_SMALLEST = 2**30


class CypherEngine:
    """The database that `CypherWriter` wrote, opened for reading.

    Args:
        path: the file.
        limits: of every query.

    Raises:
        QueryError: it cannot be opened.
    """

    def __init__(self, path: Path, limits: QueryLimits) -> None:
        self._path = path
        self._limits = limits
        # Half for the pages of the database, half for everything else.
        self.heap = limits.memory // 2
        try:
            size = path.stat().st_size
            if not size:
                raise QueryError(f"'{path}' is empty: build the graph again")
            self._database = ladybug.Database(
                path,
                read_only=True,
                buffer_pool_size=limits.memory - self.heap,
                max_db_size=max(_SMALLEST, 1 << (2 * size).bit_length()),
            )
            self._connection = ladybug.Connection(self._database)
        except (RuntimeError, OSError) as error:
            reason = first_line(str(error))
            raise QueryError(f"'{path}' cannot be opened as a graph ({reason}): build it again") from error

    @staticmethod
    def load_libraries() -> None:
        """Load what ladybug loads with the first database and the first statement."""
        with (
            ladybug.Database(":memory:", buffer_pool_size=_SMALLEST // 16, max_db_size=_SMALLEST) as database,
            ladybug.Connection(database) as connection,
        ):
            list(run_statement(connection, "RETURN 1")[1])

    def files(self) -> list[Path]:
        """Return the file of the database."""
        return [self._path]

    def accept_reach(self, files: bool, network: bool) -> None:
        """Refuse all queries where one of them could open a file.

        Raises:
            QueryError: one could.
        """
        if files or network:
            raise QueryError("this system does not let factmill keep queries away from other files: none is answered")

    def answer(self, request: Mapping[str, Any], head: Callable[[dict[str, Any]], None], output: Output) -> None:
        """Answer one reading statement.

        Raises:
            QueryError: the query is wrong; the message names the place and the remedy.
        """
        cypher, parameters = request["cypher"], request["parameters"]
        self._limits.check_text(cypher)
        _check(cypher, parameters)
        try:
            columns, rows = run_statement(self._connection, cypher, parameters)
        except RuntimeError as error:
            raise QueryError(self._explained(str(error), cypher)) from error
        head({"columns": column_names(cypher, columns)})
        try:
            for row in rows:
                output.write(json.dumps([_plain(value) for value in row], ensure_ascii=False).encode() + b"\n")
        except RuntimeError as error:
            raise QueryError(self._explained(str(error), cypher)) from error

    def _explained(self, message: str, cypher: str) -> str:
        if re.search(r"Too many open files|Permission denied|Operation not permitted|No files? found", message):
            return _NO_FILES
        return explain(message, cypher, self._connection)


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
    """Refuse what does not only read, and parameters without a value, which the database takes for null.

    The database is read-only and the process cannot open other files, so this only serves clear messages.
    """
    code = _blank(cypher).strip().removesuffix(";").rstrip()
    if not code:
        raise QueryError("the query is empty: try 'MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name LIMIT 10'")
    word = code.split()[0]
    if not re.match(rf"(?:{'|'.join(_READING)})\b", code, re.I):
        raise QueryError(f"a query only reads: it begins with {', '.join(_READING)}, not with '{word}'")
    if ";" in code:
        raise QueryError("one query at a time: there is a ';' inside")
    if _FILES.search(code):
        raise QueryError(_NO_FILES)
    for name in re.findall(r"\$(\w+)", code):
        if name not in parameters:
            raise QueryError(f"the query uses ${name}, and no value was given for it")


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
