"""SPARQL in the process of a query: opens the embedded store, answers, and explains errors.

Requests are `{"size": true}`, whose head is `{"triples": N}`, and `{"sparql": TEXT, "default_graphs": [...],
"named_graphs": [...], "media_types": {FORM: MEDIA TYPE}}` with a media type for each acceptable form of an answer:
`solutions`, `boolean`, `graph`. The head of an answer is `{"form": FORM}`, and its bytes are of that media type; an
answer whose form is not acceptable has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pyoxigraph

from sinks.questions.query_limits import QueryError, QueryLimits
from sinks.questions.query_worker import Output
from sinks.rdf.prefixes import PREFIXES

_SERVICE = "SERVICE is refused: a query reads this graph and sends nothing to other servers"
_FORM_NAMES = {
    pyoxigraph.QuerySolutions: "solutions",
    pyoxigraph.QueryBoolean: "boolean",
    pyoxigraph.QueryTriples: "graph",
}
# The tokens that may contain a keyword, longest first: comments, texts, IRIs, prefixed names, variables, words.
_TOKEN = re.compile(
    r"""
    \#[^\n\r]*
  | '''(?:(?:''?)?(?:[^'\\]|\\.))*''' | \"\"\"(?:(?:""?)?(?:[^"\\]|\\.))*\"\"\"
  | '(?:[^'\\\n\r]|\\.)*' | "(?:[^"\\\n\r]|\\.)*"
  | <[^<>"{}|^`\\\x00-\x20]*>
  | [?$]\w+
  | (?:[\w.-]*\w)?:(?:[\w:.%-]|\\.)*
  | (?P<word>@?[A-Za-z][\w-]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_UPDATES = {"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"}
_FORMS = {"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"}


class SparqlEngine:
    """The store that `sinks.rdf.store` made, opened for reading.

    Args:
        path: the folder of the store.
        limits: of every query.

    Raises:
        QueryError: it cannot be opened.
    """

    def __init__(self, path: Path, limits: QueryLimits) -> None:
        self._path = path
        self._limits = limits
        self._isolated = False
        self.heap = limits.memory
        try:
            self._store = pyoxigraph.Store.read_only(str(path))
        except (OSError, RuntimeError) as error:
            raise QueryError(
                f"'{path}' cannot be opened as a store ({error}): remove it, and it is made again"
            ) from error

    @staticmethod
    def load_libraries() -> None:
        """Load nothing: pyoxigraph is one library."""

    def files(self) -> list[Path]:
        """Return the files with triples. A store that has very many of them opens some only when it needs them."""
        return sorted(self._path.glob("*.sst"))

    def accept_reach(self, files: bool, network: bool) -> None:
        """Note whether this process has a network; without one, SERVICE cannot reach anything."""
        self._isolated = not network

    def answer(self, request: Mapping[str, Any], head: Callable[[dict[str, Any]], None], output: Output) -> None:
        """Answer a query of any form.

        Raises:
            QueryError: the query is wrong or not acceptable; the message names the place and the remedy.
        """
        if request.get("size"):
            head({"triples": len(self._store)})
            return
        sparql = request["sparql"]
        self._limits.check_text(sparql)
        if not self._isolated:
            check_without_isolation(sparql)
        check_query(sparql)
        try:
            answer = self._store.query(
                sparql,
                prefixes=PREFIXES,
                default_graph=_graphs(request["default_graphs"]),
                named_graphs=_graphs(request["named_graphs"]),
            )
            form = _FORM_NAMES[type(answer)]
            media_type = request["media_types"].get(form)
            head({"form": form})
            if media_type is not None:
                _write(answer, media_type, output)
        except SyntaxError as error:
            raise QueryError(_explain(str(error), sparql)) from error
        except OSError as error:
            # Apart from reading the store, a query has no input or output but SERVICE.
            if "service" in sparql.casefold():
                raise QueryError(_SERVICE) from error
            raise QueryError(f"the query cannot be answered: {error}") from error
        except (ValueError, RuntimeError) as error:
            if isinstance(error, QueryError):
                raise
            raise QueryError(f"the query cannot be answered: {error}") from error


def _graphs(iris: list[str]) -> Any:
    return [pyoxigraph.NamedNode(iri) for iri in iris] or None


def _write(
    answer: pyoxigraph.QuerySolutions | pyoxigraph.QueryBoolean | pyoxigraph.QueryTriples,
    media_type: str,
    output: Output,
) -> None:
    file = cast(Any, output)
    if isinstance(answer, pyoxigraph.QueryTriples):
        pyoxigraph.serialize(answer, file, pyoxigraph.RdfFormat.from_media_type(media_type), prefixes=PREFIXES)
    else:
        answer.serialize(file, pyoxigraph.QueryResultsFormat.from_media_type(media_type))


def check_without_isolation(sparql: str) -> None:
    """Refuse the letters of SERVICE anywhere, for systems that leave the process of a query a network.

    The parser takes a keyword only as it is written, so a text without these letters has no SERVICE. Within quotes and
    IRIs an escape such as `\\u0053` denotes a letter.

    Raises:
        QueryError: the letters occur.
    """
    if "service" in sparql.casefold():
        raise QueryError(
            f"{_SERVICE}. This system cannot keep a query from the network, so the letters are refused everywhere: in "
            f"a text or an IRI write \\u0053 for the S, and choose another name for a variable"
        )


def check_query(sparql: str) -> None:
    """Refuse text that is not a query, and the keyword SERVICE if the scan finds it.

    This only serves clear messages: the store is read-only and the process has no network, so a keyword that this scan
    misses has no effect.

    Raises:
        QueryError: the query is empty, an update, or uses SERVICE.
    """
    # SPARQL reads \u0053 as S before anything else.
    plain = re.sub(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})", _character, sparql)
    for text in {sparql, plain}:
        words = [match["word"].upper() for match in _TOKEN.finditer(text) if match["word"]]
        # Also within a word: a parser may take "trueSERVICE" for two.
        if any("SERVICE" in word for word in words):
            raise QueryError(_SERVICE)
        begin = next((word for word in words if word in _FORMS | _UPDATES), None)
        if begin in _UPDATES:
            raise QueryError(f"a query only reads: it begins with {', '.join(sorted(_FORMS))}, not with {begin}")
        if begin is None:
            raise QueryError("no query: try 'SELECT ?name WHERE { ?node rdfs:label ?name } LIMIT 10'")


def _character(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def _explain(message: str, sparql: str) -> str:
    """Return the message of the parser with the position, or with the known prefixes if one is missing."""
    place = re.match(r"error at (\d+):(\d+): (.*)", message, re.DOTALL)
    if "refix" in message:
        known = ", ".join(f"{prefix}:" for prefix in PREFIXES)
        return f"the query uses a prefix that is not declared; declare it with PREFIX, or use one of {known}"
    if place is None:
        return f"the query cannot be read: {message}"
    line, column = int(place[1]), int(place[2])
    lines = sparql.splitlines() or [""]
    rest = lines[line - 1][column - 1 :].strip() if line <= len(lines) else ""
    where = f"at '{rest[:30]}' in line {line}, column {column}" if rest else "at its end"
    # The parser lists every possible next character; only keywords and punctuation help a person.
    expected = re.findall(r'"[^"]+"|\b[A-Z]{2,}\b', place[3])
    return f"the query cannot be read {where}" + (f": expected {' or '.join(expected)}" if expected else "")
