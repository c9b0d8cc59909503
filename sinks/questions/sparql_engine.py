"""SPARQL queries on the embedded store: read-only, nothing outside is asked, mistakes explained."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph

from schemas import RelationSchema
from sinks.questions.cypher_engine import QueryError
from sinks.rdf.iris import PREFIXES
from sinks.rdf.store import open_store

Answer = pyoxigraph.QuerySolutions | pyoxigraph.QueryBoolean | pyoxigraph.QueryTriples

# The tokens among which a keyword could hide, longest first: comments, texts, IRIs, prefixed names, variables, words.
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


class SparqlStore:
    """The store of a graph, and questions to it.

    Args:
        folder: the output folder of a build.
        schema: the relation schema that the graph was built with.

    Raises:
        TableError, WriteError, OSError: as `open_store`.
    """

    def __init__(self, folder: str | Path, schema: RelationSchema) -> None:
        self._store = open_store(folder, schema)

    def __len__(self) -> int:
        """Return the number of triples."""
        return len(self._store)

    def query(
        self, sparql: str, default_graphs: list[str] | None = None, named_graphs: list[str] | None = None
    ) -> Answer:
        """Answer one query; the prefixes of `sinks.rdf.iris` need no declaration.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE.
            default_graphs, named_graphs: IRIs of the graphs to ask, as the SPARQL protocol has them.

        Raises:
            QueryError: it is no such query, or asks another server; the message names the place and the remedy.
        """
        check_query(sparql)
        try:
            return self._store.query(
                sparql,
                prefixes=PREFIXES,
                default_graph=[pyoxigraph.NamedNode(iri) for iri in default_graphs or []] or None,
                named_graphs=[pyoxigraph.NamedNode(iri) for iri in named_graphs or []] or None,
            )
        except SyntaxError as error:
            raise QueryError(_explain(str(error), sparql)) from error
        except ValueError as error:
            raise QueryError(f"the query cannot be answered: {error}") from error


def check_query(sparql: str) -> None:
    """Refuse what is no query, and the keyword SERVICE, with which a query sends requests to other servers.

    Raises:
        QueryError: the query is empty, an update, or uses SERVICE.
    """
    try:
        sparql.encode()
    except UnicodeEncodeError:
        raise QueryError("the query holds half of a surrogate pair, which is no text") from None
    # SPARQL reads \u0053 as S before anything else.
    plain = re.sub(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})", _character, sparql)
    for text in {sparql, plain}:
        words = [match["word"].upper() for match in _TOKEN.finditer(text) if match["word"]]
        # Also within a word: a parser may take "trueSERVICE" for two.
        if any("SERVICE" in word for word in words):
            raise QueryError("SERVICE is refused: a query reads this graph and sends nothing to other servers")
        begin = next((word for word in words if word in _FORMS | _UPDATES), None)
        if begin in _UPDATES:
            raise QueryError(f"a query only reads: it begins with {', '.join(sorted(_FORMS))}, not with {begin}")
        if begin is None:
            raise QueryError("no query: try 'SELECT ?name WHERE { ?node rdfs:label ?name } LIMIT 10'")


def _character(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def _explain(message: str, sparql: str) -> str:
    """Return what the parser says, with the place and the prefixes where one of them is missing."""
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
    # The parser lists every character that could follow; people want the keywords and signs.
    expected = re.findall(r'"[^"]+"|\b[A-Z]{2,}\b', place[3])
    return f"the query cannot be read {where}" + (f": expected {' or '.join(expected)}" if expected else "")
