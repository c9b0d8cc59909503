"""The endpoint, asked by clients that others wrote."""

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from urllib.parse import quote

import pytest
import rdflib
from click.testing import CliRunner
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, POST, TURTLE, XML, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

from runners.cli.main import main
from tests.runners.web.serving import NAMES, address, request, serving

FOUND = ["Ada Lovelace", "Lisinopril", "London", "Lord Byron"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sparqlwrapper_selects(server, method):
    client = SPARQLWrapper(address(server))
    client.setMethod(method)
    client.setQuery(NAMES)
    client.setReturnFormat(JSON)
    rows = client.query().convert()["results"]["bindings"]
    assert [row["name"]["value"] for row in rows] == FOUND
    client.setReturnFormat(CSV)
    assert client.query().convert().decode().split() == " ".join(["name", *FOUND]).split()
    client.setReturnFormat(XML)
    assert len(client.query().convert().getElementsByTagName("result")) == 4


def test_sparqlwrapper_sends_the_query_as_the_body(server):
    client = SPARQLWrapper(address(server))
    client.setMethod(POST)
    client.setRequestMethod("postdirectly")
    client.setQuery("ASK { ?a wdt:P19 ?b }")
    client.setReturnFormat(JSON)
    assert client.query().convert()["boolean"] is True


def test_sparqlwrapper_constructs(server):
    client = SPARQLWrapper(address(server))
    client.setQuery("CONSTRUCT { ?a wdt:P19 ?b } WHERE { ?a wdt:P19 ?b }")
    client.setReturnFormat(TURTLE)
    assert len(rdflib.Graph().parse(data=client.query().convert(), format="turtle")) == 1


def test_sparqlwrapper_hears_of_mistakes(server):
    client = SPARQLWrapper(address(server))
    client.setQuery("SELECT ?x { ?x foo:bar ?y }")
    with pytest.raises(QueryBadFormed, match="prefix that is not declared"):
        client.query()


def test_rdflib_asks_it_like_a_graph_of_its_own(server):
    graph = rdflib.Graph(SPARQLStore(address(server)))
    born = rdflib.URIRef("http://www.wikidata.org/prop/direct/P19")
    ((_, _, tail),) = graph.triples((None, born, None))
    assert str(graph.value(tail, rdflib.RDFS.label)) == "London"
    assert [
        str(row.name) for row in graph.query("PREFIX fm: <https://w3id.org/factmill/vocabulary#> " + NAMES)
    ] == FOUND


@pytest.mark.parametrize(
    ("accept", "type"),
    [
        ("*/*", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/*", "text/csv; charset=utf-8"),
        ("text/csv;q=0.1, text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("text/html, */*;q=0.5", "application/sparql-results+json"),
        ("application/json;q=0, text/csv;q=0.3", "text/csv; charset=utf-8"),
        ("text/html, application/xml;q=x, application/json", "application/json"),
    ],
)
def test_the_client_chooses_the_form(accept, type, server):
    response, _ = request(server, "GET", f"/sparql?query={quote(NAMES)}", Accept=accept)
    assert (response.status, response.getheader("Content-Type")) == (200, type)
    assert response.getheader("Vary") == "Accept"


@pytest.mark.parametrize(
    "accept", ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json", "text/plain"]
)
def test_graphs_come_in_every_form(accept, server):
    query = quote("DESCRIBE wdt:P19")
    response, text = request(server, "GET", f"/sparql?query={query}", Accept=accept)
    assert response.getheader("Content-Type").split(";")[0] == accept
    format = {"text/plain": "nt", "application/ld+json": "json-ld"}.get(accept, accept)
    assert len(rdflib.Graph().parse(data=text, format=format)) == 3


def test_head_has_no_body(server):
    response, text = request(server, "HEAD", f"/sparql?query={quote(NAMES)}")
    assert (response.status, text) == (200, "")
    assert int(response.getheader("Content-Length")) > 100


def test_without_a_query_it_describes_itself(server):
    _, text = request(server, "GET", "/sparql", Accept="text/turtle")
    graph = rdflib.Graph().parse(data=text, format="turtle")
    endpoint = rdflib.URIRef("http://www.w3.org/ns/sparql-service-description#endpoint")
    assert list(graph.objects(None, endpoint)) == [rdflib.URIRef(address(server))]
    assert int(next(graph.objects(None, rdflib.VOID.triples))) > 100


def test_many_clients_at_once(server):
    answers = []

    def ask():
        answers.append(json.loads(request(server, "GET", f"/sparql?query={quote(NAMES)}")[1]))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(answer["results"]["bindings"]) for answer in answers] == [4] * 12


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_listens_and_stops_on_a_signal(end, asked):
    command = [sys.executable, "-m", "runners.cli.main", "serve", str(asked[0]), "--sparql", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        host, port = re.search(r"at http://(127\.0\.0\.1):(\d+)/sparql", line).groups()
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("GET", f"/sparql?query={quote('ASK {}')}")
        assert json.load(connection.getresponse())["boolean"] is True
        process.send_signal(end)
        assert process.communicate(timeout=20)[1].endswith("stopped\n")
    assert process.returncode == 0


def test_an_address_that_cannot_be_used_is_a_mistake(asked, server):
    port = str(server.address[1])
    result = CliRunner().invoke(main, ["serve", str(asked[0]), "--sparql", "--port", port])
    assert result.exit_code == 2
    assert "choose another --host or --port" in result.stderr
