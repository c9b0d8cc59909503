"""The SPARQL 1.1 protocol: what a request asks for, and the answer in the form that it wants.

It knows queries only; the protocol's updates are refused. A request without a query gets a description of the service.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, TypeVar
from urllib.parse import parse_qsl

import pyoxigraph

from sinks.questions.cypher_engine import QueryError
from sinks.questions.sparql_engine import Answer, SparqlStore
from sinks.rdf.iris import PREFIXES

F = TypeVar("F", pyoxigraph.QueryResultsFormat, pyoxigraph.RdfFormat)

# Media types by what people and programs send for them; the first is the answer to `*/*`.
_RESULTS: dict[str, pyoxigraph.QueryResultsFormat] = {
    "application/sparql-results+json": pyoxigraph.QueryResultsFormat.JSON,
    "application/sparql-results+xml": pyoxigraph.QueryResultsFormat.XML,
    "text/csv": pyoxigraph.QueryResultsFormat.CSV,
    "text/tab-separated-values": pyoxigraph.QueryResultsFormat.TSV,
    "application/json": pyoxigraph.QueryResultsFormat.JSON,
    "application/xml": pyoxigraph.QueryResultsFormat.XML,
    "text/xml": pyoxigraph.QueryResultsFormat.XML,
}
_BOOLEANS = {name: form for name, form in _RESULTS.items() if not name.startswith("text/") or name == "text/xml"}
_GRAPHS: dict[str, pyoxigraph.RdfFormat] = {
    "text/turtle": pyoxigraph.RdfFormat.TURTLE,
    "application/n-triples": pyoxigraph.RdfFormat.N_TRIPLES,
    "application/rdf+xml": pyoxigraph.RdfFormat.RDF_XML,
    "application/ld+json": pyoxigraph.RdfFormat.JSON_LD,
    "application/n-quads": pyoxigraph.RdfFormat.N_QUADS,
    "application/trig": pyoxigraph.RdfFormat.TRIG,
    "text/plain": pyoxigraph.RdfFormat.N_TRIPLES,
}
_QUERY, _FORM = "application/sparql-query", "application/x-www-form-urlencoded"
_DESCRIPTION = """
@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix void: <http://rdfs.org/ns/void#> .

[] a sd:Service ;
    sd:endpoint <{endpoint}> ;
    sd:supportedLanguage sd:SPARQL11Query ;
    sd:resultFormat <http://www.w3.org/ns/formats/SPARQL_Results_JSON>,
        <http://www.w3.org/ns/formats/SPARQL_Results_XML>,
        <http://www.w3.org/ns/formats/SPARQL_Results_CSV>,
        <http://www.w3.org/ns/formats/SPARQL_Results_TSV>,
        <http://www.w3.org/ns/formats/Turtle>, <http://www.w3.org/ns/formats/N-Triples>,
        <http://www.w3.org/ns/formats/RDF_XML> ;
    sd:defaultDataset [ a sd:Dataset ; sd:defaultGraph [ a sd:Graph ; void:triples {triples} ] ] .
"""
# Answers up to this size stay in memory.
_SPOOLED = 8 * 2**20


@dataclass
class Response:
    """What to send back: the body is a file that stands at its beginning."""

    status: int
    type: str
    body: IO[bytes]
    headers: dict[str, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class SparqlEndpoint:
    """Answers requests about one graph.

    Args:
        store: the graph.
        address: the endpoint's own IRI, for its description.
    """

    def __init__(self, store: SparqlStore, address: str) -> None:
        self._store = store
        self._address = address

    def answer(self, method: str, query_string: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """Answer a request; the names of the headers are in lower case."""
        try:
            return self._answer(method, query_string, headers, body)
        except _Refused as refused:
            return text_response(refused.status, refused.message, **refused.headers)

    def _answer(self, method: str, query_string: str, headers: Mapping[str, str], body: bytes) -> Response:
        accept = headers.get("accept", "*/*")
        parameters = _parameters(method, query_string, headers.get("content-type", ""), body)
        queries = [value for name, value in parameters if name == "query"]
        if any(name == "update" for name, _ in parameters):
            raise _Refused(403, "this endpoint answers queries only: updates are refused")
        if len(queries) > 1:
            raise _Refused(400, "more than one query: send exactly one")
        if not queries:
            if method == "POST" or parameters:
                raise _Refused(400, "no query: send ?query=... or a body of type application/sparql-query")
            return self._description(accept)
        graphs = (
            [value for name, value in parameters if name == wanted]
            for wanted in ("default-graph-uri", "named-graph-uri")
        )
        try:
            answer = self._store.query(queries[0], *graphs)
            return _serialized(answer, accept)
        except QueryError as error:
            raise _Refused(400, str(error)) from error

    def _description(self, accept: str) -> Response:
        text = _DESCRIPTION.format(endpoint=self._address, triples=len(self._store))
        chosen, form = _chosen(accept, _GRAPHS)
        triples = pyoxigraph.parse(text.encode(), format=pyoxigraph.RdfFormat.TURTLE)
        return Response(200, chosen, _file(pyoxigraph.serialize(triples, format=form) or b""), {"Vary": "Accept"})


def text_response(status: int, message: str, **headers: str) -> Response:
    """Return a response for people."""
    return Response(status, "text/plain; charset=utf-8", _file(f"{message}\n".encode()), headers)


def _parameters(method: str, query_string: str, type: str, body: bytes) -> list[tuple[str, str]]:
    try:
        parameters = parse_qsl(query_string, keep_blank_values=True, errors="strict")
        kind = type.partition(";")[0].strip().lower()
        match method, kind:
            case "POST", "application/x-www-form-urlencoded":
                return [*parameters, *parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")]
            case "POST", "application/sparql-query":
                return [*parameters, ("query", body.decode("utf-8"))]
            case "POST", "application/sparql-update":
                raise _Refused(403, "this endpoint answers queries only: updates are refused")
            case "POST", _:
                raise _Refused(415, f"a body of type '{kind}' is not understood: send {_QUERY} or {_FORM}")
            case "GET" | "HEAD", _:
                return parameters
            case _:
                raise _Refused(405, f"{method} is not answered: use GET or POST", Allow="GET, HEAD, POST")
    except UnicodeDecodeError:
        raise _Refused(400, "the request is not valid UTF-8") from None


def _serialized(answer: Answer, accept: str) -> Response:
    body = _file()
    try:
        if isinstance(answer, pyoxigraph.QueryTriples):
            type, graph_form = _chosen(accept, _GRAPHS)
            pyoxigraph.serialize(answer, body, graph_form, prefixes=PREFIXES)
        else:
            forms = _BOOLEANS if isinstance(answer, pyoxigraph.QueryBoolean) else _RESULTS
            type, form = _chosen(accept, forms)
            answer.serialize(body, form)
    except OSError as error:
        # For example triple terms, which JSON-LD does not have.
        raise _Refused(500, f"the answer could not be written as {type}: {error}") from error
    body.seek(0)
    return Response(200, type, body, {"Vary": "Accept"})


def _chosen(accept: str, forms: Mapping[str, F]) -> tuple[str, F]:
    """Return the media type and form that a client wants most among those there are."""
    for wanted in _by_preference(accept):
        for type, form in forms.items():
            if wanted in {"*/*", type} or (wanted.endswith("/*") and type.startswith(wanted[:-1])):
                return (f"{type}; charset=utf-8" if type.startswith("text/") else type), form
    raise _Refused(406, f"none of '{accept}' can be given for this query: ask for {', '.join(forms)}")


def _by_preference(accept: str) -> Iterator[str]:
    ranked = []
    for position, part in enumerate(accept.split(",")):
        type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if type and quality > 0:
            # Of equal wishes the more exact one counts, then the earlier one.
            ranked.append((-quality, type.count("*"), position, type.lower()))
    yield from (type for *_, type in sorted(ranked))


def _file(data: bytes = b"") -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - whoever sends the response closes it
    file.write(data)
    file.seek(0)
    return file
