"""A small graph behind a real server, for tests."""

import http.client
import threading
from contextlib import contextmanager

from runners.web.app import SPARQL_PATH, make_app
from runners.web.server import WebServer
from runners.web.sparql import SparqlEndpoint
from runners.web.stored_graph import StoredGraph
from sinks.questions.sparql import SparqlStore
from tests.sinks.graphs import SCHEMA, small_graph

NAMES = "SELECT ?name { ?node rdfs:label ?name ; fm:mentions ?m } ORDER BY ?name"


@contextmanager
def serving(folder, host="127.0.0.1"):
    """A server that answers from a small graph in the folder."""
    small_graph().write(folder)
    graph = StoredGraph(folder, lambda: SparqlStore(folder, SCHEMA, size=2))
    with running(graph, host) as server:
        yield server
    graph.close()


@contextmanager
def running(graph, host="127.0.0.1", at_once=None):
    """A server that answers from anything that answers as a graph does."""
    server = WebServer(make_app(SparqlEndpoint(graph, at_once)), host, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def address(server):
    return server.url + SPARQL_PATH


def request(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response, response.read().decode()
