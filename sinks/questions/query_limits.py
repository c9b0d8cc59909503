"""The limits of a query, and the errors for queries without an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING, _CLOSING = "([{", ")]}"
_BRACKETS = re.compile(r"[\[\](){}]")


class QueryError(ValueError):
    """A query could not be answered; the message names the problem and the remedy."""


class QueryTimeout(QueryError):
    """A query took longer than `QueryLimits.seconds` and was stopped."""


class AnswerTooLarge(QueryError):
    """An answer is larger than `QueryLimits.answer`."""


class QueryCrash(QueryError):
    """The process of a query ended: the query needs more memory than it may take, or is too complex."""


class QueryCancelled(QueryError):
    """A query was cancelled by its caller."""


class TooManyQueries(QueryError):
    """The maximum number of queries is running; the same query may be sent again after `retry_after` seconds."""

    retry_after = 1


@dataclass(frozen=True)
class QueryLimits:
    """The limits of one query.

    Attributes:
        seconds: time from the request to the last byte of the answer.
        memory: bytes of memory beyond those of the opened database.
        answer: bytes of the answer.
        text: characters of the query.
        depth: how deeply brackets of the query may be nested.
    """

    seconds: float = 30.0
    memory: int = 2 * 2**30
    answer: int = 64 * 2**20
    text: int = 2**20
    depth: int = 250

    def check_text(self, query: str) -> None:
        """Refuse a query that needs too much stack or time in the parser.

        Brackets within quotes count too, since only the parser knows reliably what is quoted.

        Raises:
            QueryError: the query is too long or too deeply nested, or is not valid Unicode.
        """
        if len(query) > self.text:
            raise QueryError(f"the query has {len(query):,} characters, and {self.text:,} are allowed: split it")
        try:
            query.encode()
        except UnicodeEncodeError as error:
            half = repr(query[error.start])
            raise QueryError(f"the query holds {half}, half of a surrogate pair and no text") from None
        depth = 0
        for bracket in _BRACKETS.findall(query):
            depth = depth + 1 if bracket in _OPENING else max(depth - 1, 0)
            if depth > self.depth:
                raise QueryError(f"the query is nested too deeply: brackets may be nested {self.depth} deep")
