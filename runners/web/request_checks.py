"""Checks of every request before it reaches a page: the name of the server, and that no other web site sent it.

A web page of another site can make a browser send requests to a server on loopback, either under its own name (DNS
rebinding, seen in `Host`) or across sites (seen in `Origin` and `Sec-Fetch-Site`). Both are refused. Programs that are
no browsers send neither header and are not affected.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Host and port of a URL: a name, an IPv4 address, or an IPv6 address in brackets.
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_SAME_SITE = {"same-origin", "none"}


class RequestChecks:
    """ASGI middleware that refuses requests which a page of another web site may have caused.

    Args:
        app: the application behind it.
        allowed_origins: origins (`https://app.example`) whose pages may send requests.
    """

    def __init__(self, app: ASGIApp, allowed_origins: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._allowed = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = _origin_form(scope) or self._refusal(scope)
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        authority = headers.get("host")
        host = None
        if authority is not None:
            match = _AUTHORITY.fullmatch(authority)
            if match is None:
                return _text(400, "the Host header is not HOST or HOST:PORT")
            host = match["host"].strip("[]").lower().rstrip(".")
        server = scope.get("server")
        if host is not None and server is not None and _is_loopback(server[0]) and not _is_loopback(host):
            return _text(403, f"this server answers as localhost, not as '{host}'")
        origin = headers.get("origin")
        if origin in self._allowed:
            return None
        if origin is not None and urlsplit(origin).netloc.lower() != (authority or "").lower():
            return _text(403, f"requests from pages of '{origin}' are refused")
        # A link on another site may lead to a page here, and must not run a query.
        navigates = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        follows_link = navigates and not scope["query_string"]
        if headers.get("sec-fetch-site", "none") not in _SAME_SITE and not follows_link:
            return _text(403, "requests from pages of other sites are refused")
        return None


def _origin_form(scope: Scope) -> PlainTextResponse | None:
    """Bring a request target such as `http://localhost:7878/sparql` into the form `/sparql`; its host counts."""
    if scope["path"].startswith("/"):
        return None
    scheme, separator, rest = scope["path"].partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        return _text(400, "the request target is neither a path nor a URL")
    authority, slash, path = rest.partition("/")
    scope["path"], scope["raw_path"] = slash + path or "/", (slash + path or "/").encode()
    scope["headers"] = [(b"host", authority.encode()), *(pair for pair in scope["headers"] if pair[0] != b"host")]
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _text(status: int, message: str) -> PlainTextResponse:
    return PlainTextResponse(f"{message}\n", status)
