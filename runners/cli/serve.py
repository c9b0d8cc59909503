"""`factmill serve`: a graph as a SPARQL endpoint."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.arguments.query_limits import limit_options, query_limits

if TYPE_CHECKING:
    from sinks.questions.sparql import SparqlStore


@click.command(cls=Command, short_help="Answer SPARQL over HTTP.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sparql", "sparql", is_flag=True, required=True, help="Serve the SPARQL 1.1 protocol.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Listen on this address.")
@click.option("--port", default=7878, show_default=True, metavar="N", type=click.IntRange(0, 65535), help="0: any.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Queries that run at once [one per core].")
@limit_options(default_memory=512)
def serve(folder: Path, sparql: bool, host: str, port: int, workers: int | None, **limits: Any) -> None:
    """Serve a graph as a standard SPARQL 1.1 endpoint; DIR is the output folder of 'factmill build'.

    Clients send queries by GET or POST. The Accept header chooses the form of the answer: JSON, XML, CSV or TSV for
    SELECT and ASK; Turtle, N-Triples, RDF/XML and others for CONSTRUCT and DESCRIBE. The endpoint is read-only and
    refuses SERVICE. After 'factmill update' or a new build, the next query gets the new graph. Every query runs in a
    process of its own without network, within --timeout, --memory and --answer-size. When too many wait, clients get
    status 503 and the time to try again.

    By default only programs on this machine can connect (--host), and pages of other web sites are refused. There is
    no login and no encryption: put a reverse proxy in front of it before you open it to a network. Ctrl-C stops the
    server.

    \b
    Examples:
      factmill serve graph --sparql
      factmill serve graph --sparql --port 8080
      factmill serve graph --sparql --host ::1                         # IPv6
      curl -G http://127.0.0.1:7878/sparql --data-urlencode 'query=SELECT ?name { ?node rdfs:label ?name } LIMIT 5'
      python -c "import rdflib; g = rdflib.Graph('SPARQLStore'); g.open('http://127.0.0.1:7878/sparql'); print(len(g))"
    """
    from runners.arguments.run_report import relation_schema
    from runners.web.app import SPARQL_PATH, make_app
    from runners.web.server import WebServer
    from runners.web.sparql import SparqlEndpoint
    from runners.web.stored_graph import StoredGraph
    from sinks.questions.sparql import SparqlStore

    at_once = workers or max(2, os.cpu_count() or 2)

    def open_store() -> SparqlStore:
        return SparqlStore(folder, relation_schema(folder), query_limits(**limits), at_once)

    graph = StoredGraph(folder, open_store)
    server = WebServer(make_app(SparqlEndpoint(graph, at_once)), host, port)
    if not _loopback(server.address[0]):
        click.echo("Warning: everyone who can reach this address can query the graph", err=True)
    click.echo(f"SPARQL endpoint of {folder} at {server.url}{SPARQL_PATH}; Ctrl-C stops it", err=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    graph.close()
    click.echo("stopped", err=True)


def _loopback(address: str) -> bool:
    import ipaddress

    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
