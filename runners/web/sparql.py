"""The SPARQL 1.1 protocol over HTTP: reads the query of a request and writes its answer in the form the client accepts.

The endpoint answers queries only; updates are refused. A GET request without parameters gets the service description.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, Literal, Protocol
from urllib.parse import parse_qsl

import pyoxigraph
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from runners.web.content_negotiation import best_type
from sinks.questions.query_limits import QueryError, QueryTimeout, TooManyQueries

Kind = Literal["solutions", "boolean", "graph"]

# The first type answers `*/*`. Some clients ask for XML or JSON without saying that it is SPARQL's.
SOLUTION_TYPES = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
    "application/json",
    "application/xml",
    "text/xml",
)
BOOLEAN_TYPES = tuple(name for name in SOLUTION_TYPES if name not in {"text/csv", "text/tab-separated-values"})
GRAPH_TYPES: dict[str, pyoxigraph.RdfFormat] = {
    "text/turtle": pyoxigraph.RdfFormat.TURTLE,
    "application/n-triples": pyoxigraph.RdfFormat.N_TRIPLES,
    "application/rdf+xml": pyoxigraph.RdfFormat.RDF_XML,
    "application/ld+json": pyoxigraph.RdfFormat.JSON_LD,
    "application/n-quads": pyoxigraph.RdfFormat.N_QUADS,
    "application/trig": pyoxigraph.RdfFormat.TRIG,
    "text/plain": pyoxigraph.RdfFormat.N_TRIPLES,
}
_OFFERED: dict[Kind, tuple[str, ...]] = {
    "solutions": SOLUTION_TYPES,
    "boolean": BOOLEAN_TYPES,
    "graph": tuple(GRAPH_TYPES),
}
_QUERY, _UPDATE = "application/sparql-query", "application/sparql-update"
_FORM = "application/x-www-form-urlencoded"
_METHODS = "GET, HEAD, POST"
_LARGEST_BODY = 2**20
_SECONDS_TO_SEND_BODY = 30
# Queries that may wait for each one that runs, and for how long; further clients are asked to try again.
_WAITING_FOR_ONE = 64
_SECONDS_TO_WAIT = 10.0
_RETRY_SECONDS = "2"
_CHUNK = 2**16
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


@dataclass(frozen=True)
class SparqlRequest:
    """A query as it came over HTTP.

    Attributes:
        query: its text.
        default_graphs, named_graphs: IRIs of the graphs to query, as the protocol has them.
        types: the media type that the client wants for each kind of answer; None where it accepts none.
    """

    query: str
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]
    types: Mapping[Kind, str | None]


@dataclass(frozen=True)
class SparqlAnswer:
    """An answer as it goes over HTTP.

    Attributes:
        kind: which kind of answer the query has.
        body: a file at its beginning in the type that was asked for; None if the client accepts none of this kind.
    """

    kind: Kind
    body: IO[bytes] | None


class SparqlGraph(Protocol):
    """A graph that answers SPARQL queries; called from several threads."""

    def answer(self, request: SparqlRequest, cancelled: threading.Event) -> SparqlAnswer:
        """Answer a query; `cancelled` is set when the client has gone.

        Raises:
            QueryError: the query is wrong, or needs more than it may.
            QueryTimeout: it takes too long.
        """

    def triples(self) -> int:
        """Return the number of triples."""


class _Refused(Exception):
    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.response = PlainTextResponse(f"{message}\n", status, headers)


class SparqlEndpoint:
    """ASGI application that answers SPARQL requests about one graph.

    Args:
        graph: the graph.
        at_once: how many queries run at once; None for one per core. Further ones wait, up to a limit.
    """

    def __init__(self, graph: SparqlGraph, at_once: int | None = None) -> None:
        self._graph = graph
        running = at_once or max(2, os.cpu_count() or 2)
        self._running = asyncio.Semaphore(running)
        self._threads = ThreadPoolExecutor(running, thread_name_prefix="sparql")
        self._places = running * (1 + _WAITING_FOR_ONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            response = await self._respond(Request(scope, receive))
        except _Refused as refused:
            response = refused.response
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        parameters = await _parameters(request)
        queries = [value for name, value in parameters if name == "query"]
        if any(name == "update" for name, _ in parameters):
            raise _updates_refused()
        if len(queries) > 1:
            raise _Refused(400, "more than one query: send exactly one")
        if not queries:
            if request.method == "POST" or parameters:
                raise _Refused(400, f"no query: send ?query=... or a body of type {_QUERY}")
            return await self._description(request, accept)
        default, named = (
            tuple(value for name, value in parameters if name == wanted)
            for wanted in ("default-graph-uri", "named-graph-uri")
        )
        types = {kind: best_type(accept, offered) for kind, offered in _OFFERED.items()}
        answer = await self._answer(request, SparqlRequest(queries[0], default, named, types))
        name = types[answer.kind]
        if answer.body is None or name is None:
            offered = ", ".join(_OFFERED[answer.kind])
            raise _Refused(406, f"'{accept}' has no form that this query can be answered in: accept one of {offered}")
        size = answer.body.seek(0, 2)
        answer.body.seek(0)
        headers = {"Content-Length": str(size), "Vary": "Accept"}
        return StreamingResponse(_chunks(answer.body), 200, headers, _with_charset(name))

    async def _answer(self, request: Request, wanted: SparqlRequest) -> SparqlAnswer:
        """Answer a query in a thread, and cancel it when the client goes."""
        if self._places == 0:
            raise _too_many()
        self._places -= 1
        cancelled = threading.Event()
        gone = asyncio.ensure_future(_disconnected(request))
        turn = asyncio.ensure_future(self._running.acquire())
        try:
            await _first(turn, gone, timeout=_SECONDS_TO_WAIT)
            if not turn.done():
                if gone.done():
                    raise ClientDisconnect
                raise _too_many()
            answering = asyncio.get_running_loop().run_in_executor(self._threads, self._graph.answer, wanted, cancelled)
            # A thread keeps its turn until it has finished, even if nobody waits for the answer any more.
            answering.add_done_callback(lambda _: self._running.release())
            await _first(answering, gone)
            if not answering.done():
                raise ClientDisconnect
            return answering.result()
        except TooManyQueries as error:
            raise _Refused(503, str(error), **{"Retry-After": str(error.retry_after)}) from error
        except QueryTimeout as error:
            raise _Refused(503, str(error)) from error
        except QueryError as error:
            raise _Refused(400, str(error)) from error
        finally:
            cancelled.set()
            gone.cancel()
            turn.cancel()
            self._places += 1

    async def _description(self, request: Request, accept: str) -> Response:
        name = best_type(accept, tuple(GRAPH_TYPES))
        if name is None:
            raise _Refused(406, f"'{accept}' has no form of RDF: accept one of {', '.join(GRAPH_TYPES)}")
        triples = await asyncio.to_thread(self._graph.triples)
        text = _DESCRIPTION.format(endpoint=str(request.url.replace(query="")), triples=triples)
        parsed = pyoxigraph.parse(text.encode(), format=pyoxigraph.RdfFormat.TURTLE)
        body = pyoxigraph.serialize(parsed, format=GRAPH_TYPES[name]) or b""
        return Response(body, 200, {"Vary": "Accept"}, _with_charset(name))


async def _parameters(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of the URL and of the body."""
    if request.method not in {"GET", "HEAD", "POST"}:
        raise _Refused(405, f"{request.method} is not supported: use GET or POST", Allow=_METHODS, Connection="close")
    body = await _body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = request.scope["query_string"].decode("ascii")
        parameters = parse_qsl(text, keep_blank_values=True, errors="strict")
        if request.method != "POST":
            return parameters
        match kind:
            case "application/x-www-form-urlencoded":
                return [*parameters, *parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")]
            case "application/sparql-query":
                return [*parameters, ("query", body.decode("utf-8"))]
            case "application/sparql-update":
                raise _updates_refused()
            case _:
                raise _Refused(415, f"a body of type '{kind}' is not supported: send {_QUERY} or {_FORM}")
    except UnicodeDecodeError:
        raise _Refused(400, "the request is not valid UTF-8") from None


async def _body(request: Request) -> bytes:
    too_large = _Refused(413, f"a request body has at most {_LARGEST_BODY:,} bytes", Connection="close")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > _LARGEST_BODY:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS_TO_SEND_BODY):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    raise too_large
    except TimeoutError:
        raise _Refused(408, f"the body did not arrive in {_SECONDS_TO_SEND_BODY} s", Connection="close") from None
    return bytes(body)


async def _first(*futures: asyncio.Future[Any], timeout: float | None = None) -> None:
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _too_many() -> _Refused:
    return _Refused(503, "too many queries at once: try again in a moment", **{"Retry-After": _RETRY_SECONDS})


def _updates_refused() -> _Refused:
    return _Refused(403, "this endpoint answers queries only: updates are refused")


def _with_charset(name: str) -> str:
    return f"{name}; charset=utf-8" if name.startswith("text/") else name


def _chunks(body: IO[bytes]) -> Iterator[bytes]:
    with body:
        while chunk := body.read(_CHUNK):
            yield chunk
