"""The web application of a graph: its SPARQL endpoint, and room for pages about the graph."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runners.web.request_checks import RequestChecks
from runners.web.sparql import SparqlEndpoint

SPARQL_PATH = "/sparql"


def make_app(endpoint: SparqlEndpoint, pages: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the application that answers SPARQL at `/sparql`.

    Args:
        endpoint: the SPARQL endpoint.
        pages: further routes; one for `/` takes the place of the line of text there.
    """
    return Starlette(
        routes=[*pages, Route("/", _home), Route(SPARQL_PATH, endpoint)],
        middleware=[Middleware(RequestLog), Middleware(RequestChecks)],
        exception_handlers={404: _not_found, Exception: _failed},
    )


class RequestLog:
    """ASGI middleware that writes one line per request to standard error, without the query, which may be long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and log its status and duration."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = "client gone"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            now, milliseconds = time.strftime("%H:%M:%S"), 1000 * (time.monotonic() - started)
            sys.stderr.write(f"{now}  {scope['method']} {status}  {milliseconds:.0f} ms\n")


async def _home(request: Request) -> Response:
    return PlainTextResponse(f"A graph of factmill. Send SPARQL queries to {SPARQL_PATH}\n")


async def _not_found(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"no such page: the SPARQL endpoint is {SPARQL_PATH}\n", 404)


async def _failed(request: Request, error: Exception) -> Response:
    detail = error.detail if isinstance(error, HTTPException) else "the server failed to answer; its log says why"
    return PlainTextResponse(f"{detail}\n", 500)
