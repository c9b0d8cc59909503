"""Requests that a page of another web site may have caused are refused; those of programs and own pages are not."""

import socket

import pytest

from tests.runners.web.serving import request, serving

QUERY = "/sparql?query=ASK%20{}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def raw(server, text):
    """The first line of the answer to a request written by hand."""
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(text.encode("latin-1"))
        return connection.makefile("rb").readline().decode().split(" ", 1)[1].strip()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:99", 200),
        ("LOCALHOST.", 200),
        ("127.0.0.1:7878", 200),
        ("127.9.9.9", 200),
        ("[::1]:7878", 200),
        ("rebound.example", 403),
        ("rebound.example:7878", 403),
        ("localhost.rebound.example", 403),
        ("10.0.0.1", 403),
        ("[2001:db8::1]", 403),
        ("[::1", 400),
        ("a[b]:x", 400),
        ("localhost:port", 400),
        ("", 400),
    ],
)
def test_a_server_on_loopback_answers_as_localhost_only(host, status, server):
    assert request(server, "GET", QUERY, Host=host)[0].status == status


def test_a_request_of_http_1_0_needs_no_host(server):
    assert raw(server, f"GET {QUERY.replace(' ', '%20')} HTTP/1.0\r\n\r\n") == "200 OK"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://localhost:7878" + QUERY, "200 OK"),
        ("http://127.0.0.1", "200 OK"),
        ("http://rebound.example" + QUERY, "403 Forbidden"),
        ("ftp://localhost" + QUERY, "400 Bad Request"),
        ("*", "400 Bad Request"),
    ],
)
def test_the_target_may_be_a_url_whose_host_counts(target, status, server):
    assert raw(server, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "https://other.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_queries_of_pages_of_other_sites_are_refused(headers, status, server):
    given = {name: value.replace("{port}", str(server.address[1])) for name, value in headers.items()}
    assert request(server, "GET", QUERY, **given)[0].status == status
    body = {"Content-Type": "application/sparql-query", **given}
    assert request(server, "POST", "/sparql", "ASK {}", **body)[0].status == status


def test_a_link_on_another_site_may_lead_to_the_first_page(server):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert request(server, "GET", "/", **link)[0].status == 200
