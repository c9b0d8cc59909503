"""The server under clients that are slow, gone, or many."""

import http.client
import shutil
import socket
import threading
import time

import pytest

from runners.errors import UserError
from runners.web import server as module
from runners.web.app import make_app
from runners.web.sparql import SparqlAnswer, SparqlEndpoint
from runners.web.stored_graph import StoredGraph
from sinks.questions.query_limits import QueryTimeout
from sinks.questions.sparql import SparqlStore
from tests.runners.web.serving import request, running, serving
from tests.sinks.graphs import SCHEMA, small_graph

QUERY = "/sparql?query=ASK%20{}"


class Patient:
    """A graph whose queries take until they are released, or their client goes."""

    def __init__(self):
        self.release, self.begun, self.cancelled = threading.Event(), threading.Semaphore(0), threading.Event()

    def triples(self):
        return 0

    def answer(self, request, cancelled):
        self.begun.release()
        while not self.release.is_set():
            if cancelled.wait(0.01):
                self.cancelled.set()
                break
        return SparqlAnswer("boolean", None)


@pytest.fixture
def patient():
    graph = Patient()
    with running(graph, at_once=1) as server:
        yield graph, server
        graph.release.set()


def sent(server, path=QUERY):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.request("GET", path)
    return connection


def test_an_address_of_ipv6_works(tmp_path):
    with serving(tmp_path, "::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert request(server, "GET", QUERY)[0].status == 200


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.name.invalid", "x" * 100, "a..b"])
def test_an_address_that_cannot_be_used_is_named(host):
    with pytest.raises(UserError, match=r"cannot listen on .*: choose another --host or --port"):
        module.WebServer(make_app(SparqlEndpoint(Patient())), host, 0)


def test_requests_on_one_connection_do_not_wait_for_each_other(tmp_path):
    with serving(tmp_path) as server:
        connection = http.client.HTTPConnection(*server.address, timeout=20)
        started = time.monotonic()
        for _ in range(20):
            connection.request("GET", QUERY)
            assert connection.getresponse().read()
        # With Nagle's algorithm and delayed acknowledgements each takes 40 ms and more.
        assert time.monotonic() - started < 20 * 0.04


def test_queries_beyond_a_number_are_refused_at_once_with_the_time_to_retry(patient, monkeypatch):
    graph, server = patient
    waiting = [sent(server) for _ in range(65)]  # one that runs and those that wait
    assert graph.begun.acquire(timeout=10)
    refused, deadline = None, time.monotonic() + 10
    while (refused is None or refused.status != 503) and time.monotonic() < deadline:
        connection = sent(server)
        connection.sock.settimeout(0.5)
        try:
            refused = connection.getresponse()
        except TimeoutError:
            connection.close()
    assert refused.status == 503
    assert int(refused.getheader("Retry-After")) > 0
    graph.release.set()
    assert {connection.getresponse().status for connection in waiting} == {406}  # the answers have no body here


def test_a_query_is_cancelled_when_its_client_goes(patient, capsys):
    graph, server = patient
    connection = sent(server)
    assert graph.begun.acquire(timeout=10)
    connection.close()
    assert graph.cancelled.wait(10)
    assert "Traceback" not in capsys.readouterr().err


def test_a_query_that_takes_too_long_gets_503():
    class Slow(Patient):
        def answer(self, request, cancelled):
            raise QueryTimeout("the query took more than 30 s: add a LIMIT, or ask for less")

    with running(Slow()) as server:
        response, text = request(server, "GET", QUERY)
    assert (response.status, text) == (503, "the query took more than 30 s: add a LIMIT, or ask for less\n")


def test_a_failure_of_ours_is_no_traceback_for_the_client():
    class Broken(Patient):
        def answer(self, request, cancelled):
            raise OSError("the password of the database is secret")

    with running(Broken()) as server:
        response, text = request(server, "GET", QUERY)
    assert response.status == 500
    assert "secret" not in text


def closed_after(server, data, every=None):
    """The seconds after which the server closes a connection that sends some bytes, and then one every so often."""
    started = time.monotonic()
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(data)
        connection.settimeout(every or 10)
        while True:
            try:
                if not connection.recv(100):
                    return time.monotonic() - started
            except TimeoutError:
                connection.sendall(b"x")
            except ConnectionResetError:
                return time.monotonic() - started


@pytest.mark.parametrize(("data", "every"), [(b"", None), (b"GET /", None), (b"GET /sparql?query=", 0.1)])
def test_a_client_that_does_not_finish_its_request_is_disconnected(data, every, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_FOR_HEAD", 0.5)
    with serving(tmp_path) as server:
        assert closed_after(server, data, every) < 5


def test_a_second_request_on_a_connection_has_a_deadline_too(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_FOR_HEAD", 0.5)
    with serving(tmp_path) as server:
        first = f"GET {QUERY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert closed_after(server, first + b"GET /sparql", 0.1) < 5


def test_a_body_that_does_not_arrive_gets_408(tmp_path, monkeypatch):
    monkeypatch.setattr("runners.web.sparql._SECONDS_TO_SEND_BODY", 0.3)
    with serving(tmp_path) as server:
        headers = {"Content-Type": "application/sparql-query", "Content-Length": "100"}
        connection = http.client.HTTPConnection(*server.address, timeout=20)
        connection.request("POST", "/sparql", None, headers)
        assert connection.getresponse().status == 408


def test_after_an_update_the_next_query_sees_the_new_graph(tmp_path):
    folder = tmp_path / "graph"
    small_graph().write(folder)
    (folder / "run.json").write_text("{}")
    opened = []

    def open_store():
        opened.append(True)
        return SparqlStore(folder, SCHEMA)

    graph = StoredGraph(folder, open_store)
    before = graph.triples()
    smaller = small_graph()
    smaller.nodes.pop()
    shutil.rmtree(folder / "tables")
    smaller.write(folder)
    assert graph.triples() == before
    (folder / "run.json").write_text("{} ")
    assert graph.triples() < before
    assert len(opened) == 2


def test_a_query_that_waits_too_long_for_its_turn_is_refused(patient, monkeypatch):
    graph, server = patient
    monkeypatch.setattr("runners.web.sparql._SECONDS_TO_WAIT", 0.3)
    first = sent(server)
    assert graph.begun.acquire(timeout=10)
    refused = sent(server).getresponse()
    assert (refused.status, refused.getheader("Retry-After")) == (503, "2")
    graph.release.set()
    assert first.getresponse().status == 406
