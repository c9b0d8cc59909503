"""`factmill serve`: a graph as a SPARQL endpoint."""

from __future__ import annotations

import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from runners.arguments.command import Command
from runners.errors import UserError

if TYPE_CHECKING:
    from runners.web.sparql_protocol import Response, SparqlEndpoint
    from sinks.questions.sparql_engine import SparqlStore

PATH = "/sparql"
_LARGEST_BODY = 2**20
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@click.command(cls=Command, short_help="Answer SPARQL over HTTP.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sparql", "sparql", is_flag=True, required=True, help="Serve the SPARQL 1.1 protocol.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--port", default=7878, show_default=True, metavar="N", type=click.IntRange(0, 65535), help="0: any.")
def serve(folder: Path, sparql: bool, host: str, port: int) -> None:
    """Serve a graph to programs: a standard SPARQL 1.1 endpoint; DIR is the folder that `factmill build` wrote.

    Queries come by GET or POST, answers are JSON, XML, CSV or TSV for SELECT and ASK, and Turtle, N-Triples, RDF/XML
    and others for CONSTRUCT and DESCRIBE, whatever the client accepts. Nothing can be changed, and SERVICE is refused.
    It listens to this machine alone unless --host says otherwise; there is no login. Ctrl-C ends it.

    \b
    Examples:
      factmill serve graph --sparql
      factmill serve graph --sparql --port 8080
      curl -G http://127.0.0.1:7878/sparql --data-urlencode 'query=SELECT ?name { ?node rdfs:label ?name } LIMIT 5'
      python -c "import rdflib; g = rdflib.Graph('SPARQLStore'); g.open('http://127.0.0.1:7878/sparql'); print(len(g))"
    """
    from runners.arguments.run_report import relation_schema
    from sinks.questions.sparql_engine import SparqlStore

    server = make_server(SparqlStore(folder, relation_schema(folder)), host, port)
    click.echo(f"SPARQL endpoint of {folder} at {address(server)}; Ctrl-C ends it", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("ended", err=True)
    finally:
        server.server_close()


def make_server(store: SparqlStore, host: str, port: int) -> ThreadingHTTPServer:
    """Return a server that listens, and answers once `serve_forever` is called.

    Raises:
        UserError: the address cannot be used.
    """
    from runners.web.sparql_protocol import SparqlEndpoint

    try:
        server = ThreadingHTTPServer((host, port), _Handler)
    except (OSError, OverflowError) as error:
        raise UserError(f"cannot listen on {host}, port {port} ({error}): choose another --host or --port") from None
    server.daemon_threads = True
    server.endpoint = SparqlEndpoint(store, address(server))  # type: ignore[attr-defined]
    return server


def address(server: ThreadingHTTPServer) -> str:
    """Return the URL of the endpoint."""
    host, port = server.server_address[:2]
    return f"http://{host!s}:{port}{PATH}"


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to the endpoint, which `server` holds."""

    protocol_version = "HTTP/1.1"
    # Seconds that a client may take to send its request.
    timeout = 30

    def do_GET(self) -> None:
        self._send(self._response(b""))

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        self.close_connection = True  # its body is not read
        self._send(self._response(b""))

    do_DELETE = do_PATCH = do_OPTIONS = do_PUT

    def do_POST(self) -> None:
        from runners.web.sparql_protocol import text_response

        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            self.close_connection = True
            self._send(text_response(411, "a POST needs the length of its body"))
            return
        if not 0 <= length <= _LARGEST_BODY:
            self.close_connection = True
            self._send(text_response(413, f"a query of more than {_LARGEST_BODY:,} bytes is not read"))
            return
        self._send(self._response(self.rfile.read(length)))

    def _response(self, body: bytes) -> Response:
        from runners.web.sparql_protocol import text_response

        endpoint: SparqlEndpoint = self.server.endpoint  # type: ignore[attr-defined]
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        # A page of another site must not reach a server of this machine by a name that it points here.
        if self.connection.getsockname()[0] in _LOOPBACK and host not in _LOOPBACK:
            return text_response(403, f"this endpoint answers as localhost, not as '{host}'")
        path, _, query = self.path.partition("?")
        if path == "/":
            return text_response(200, f"A graph of factmill. Send SPARQL to {PATH}")
        if path != PATH:
            return text_response(404, f"nothing here: the endpoint is {PATH}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return endpoint.answer(self.command, query, headers, body)

    def _send(self, response: Response) -> None:
        with response.body as body:
            size = body.seek(0, 2)
            body.seek(0)
            self.send_response(response.status)
            self.send_header("Content-Type", response.type)
            self.send_header("Content-Length", str(size))
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                shutil.copyfileobj(body, self.wfile)

    def log_message(self, format: str, *args: object) -> None:
        """Say what was asked and answered, without the query, which may be long."""
        if format.startswith('"%s"') and len(args) > 1:
            sys.stderr.write(f"{self.log_date_time_string()}  {self.command} {args[1]}\n")
