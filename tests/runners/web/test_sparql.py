"""The SPARQL 1.1 protocol, case by case as its specification states them."""

from urllib.parse import quote, urlencode

import pytest
import rdflib

from tests.runners.web.serving import NAMES, address, request, serving

FORM, DIRECT = {"Content_Type": "application/x-www-form-urlencoded"}, {"Content_Type": "application/sparql-query"}
ASK = "ASK {}"
CDR = f"default-graph-uri={quote('http://example.org/a')}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def get(query, *more):
    return "/sparql?" + "&".join([f"query={quote(query)}", *more])


# Section 2.1 of the protocol: the three ways to send a query, with and without a data set.
@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", get(ASK), None, {}),
        ("POST", "/sparql", urlencode({"query": ASK}), FORM),
        ("POST", "/sparql", ASK, DIRECT),
        ("POST", "/sparql", ASK, {"Content_Type": "Application/SPARQL-Query; charset=UTF-8"}),
        ("GET", get(ASK, CDR), None, {}),
        ("GET", get(ASK, CDR, CDR.replace("/a", "/b")), None, {}),
        ("GET", get(ASK, CDR.replace("default", "named")), None, {}),
        ("GET", get(ASK, CDR, CDR.replace("default", "named")), None, {}),
        ("POST", f"/sparql?{CDR}", ASK, DIRECT),
        ("POST", "/sparql", urlencode({"query": ASK}) + "&" + CDR, FORM),
        ("GET", get(ASK, "unknown=parameter"), None, {}),
        ("GET", get(ASK).replace("%20", "+"), None, {}),
        ("GET", get("ASK { ?a rdfs:label 'Zürich' }"), None, {}),
    ],
)
def test_a_query_is_answered(method, path, body, headers, server):
    response, text = request(server, method, path, body, Accept="application/sparql-results+json", **headers)
    assert response.status == 200, text
    assert response.getheader("Content-Type") == "application/sparql-results+json"
    assert '"boolean"' in text


def test_the_data_set_of_the_protocol_decides_what_is_queried(server):
    whole = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    assert int(request(server, "GET", get(whole), Accept="text/csv")[1].split()[1]) > 100
    assert request(server, "GET", get(whole, CDR), Accept="text/csv")[1].split()[1] == "0"


@pytest.mark.parametrize(
    ("query", "accept", "type"),
    [
        (NAMES, "application/sparql-results+xml", "application/sparql-results+xml"),
        (NAMES, "application/sparql-results+json", "application/sparql-results+json"),
        (NAMES, "text/csv", "text/csv; charset=utf-8"),
        (NAMES, "text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        (NAMES, "", "application/sparql-results+json"),
        (ASK, "application/sparql-results+xml", "application/sparql-results+xml"),
        (ASK, "application/json", "application/json"),
        ("DESCRIBE wdt:P19", "text/turtle", "text/turtle; charset=utf-8"),
        ("DESCRIBE wdt:P19", "application/rdf+xml", "application/rdf+xml"),
        ("CONSTRUCT { ?a wdt:P19 ?b } WHERE { ?a wdt:P19 ?b }", "*/*", "text/turtle; charset=utf-8"),
        ("CONSTRUCT { ?a wdt:P19 ?b } WHERE { ?a wdt:P19 ?b }", "application/n-triples", "application/n-triples"),
    ],
)
def test_the_answer_has_the_type_of_its_kind(query, accept, type, server):
    response, text = request(server, "GET", get(query), Accept=accept)
    assert (response.status, response.getheader("Content-Type")) == (200, type), text


# Section 2.1.4 to 2.1.6 and 2.2: what is no query operation, and the status that says so.
@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/sparql?query=SELECT%20nothing", None, {}, 400),
        ("GET", "/sparql?query=DROP%20ALL", None, {}, 400),
        ("GET", get("SELECT * { SERVICE <http://x/> {} }"), None, {}, 400),
        ("GET", get("SELECT (<x:f>(1) AS ?x) {}"), None, {}, 400),
        ("GET", get(ASK, f"query={quote(ASK)}"), None, {}, 400),
        ("POST", f"/sparql?query={quote(ASK)}", urlencode({"query": ASK}), FORM, 400),
        ("GET", "/sparql?update=DROP%20ALL", None, {}, 403),
        ("POST", "/sparql", urlencode({"update": "DROP ALL"}), FORM, 403),
        ("POST", "/sparql", "DROP ALL", {"Content_Type": "application/sparql-update"}, 403),
        ("GET", "/sparql?something=else", None, {}, 400),
        ("GET", "/sparql?query=%FF", None, {}, 400),
        ("POST", "/sparql", "query=%FF", FORM, 400),
        ("POST", "/sparql", b"\xff", DIRECT, 400),
        ("POST", "/sparql", "ASK {}".encode("utf-16"), DIRECT, 400),
        ("GET", get(NAMES), None, {"Accept": "image/png"}, 406),
        ("GET", get(ASK), None, {"Accept": "text/csv"}, 406),
        ("GET", get("DESCRIBE wdt:P19"), None, {"Accept": "text/csv"}, 406),
        ("POST", "/sparql", ASK, {"Content_Type": "text/plain"}, 415),
        ("POST", "/sparql", ASK, {}, 415),
        ("POST", "/sparql", "", FORM, 400),
        ("POST", "/sparql", "", DIRECT, 400),
        ("POST", "/sparql", None, {"Content_Length": "99999999"}, 413),
        ("POST", "/sparql", None, {"Content_Length": "many"}, 400),
        ("PUT", "/sparql", ASK, DIRECT, 405),
        ("DELETE", get(ASK), None, {}, 405),
        ("OPTIONS", get(ASK), None, {}, 405),
        ("GET", "/elsewhere", None, {}, 404),
        ("GET", "/", None, {}, 200),
    ],
)
def test_a_request_gets_the_status_of_the_protocol(method, path, body, headers, status, server):
    response, text = request(server, method, path, body, **headers)
    assert response.status == status, text
    assert "Traceback" not in text
    assert text.strip()


def test_a_refused_method_names_the_others(server):
    assert request(server, "PUT", "/sparql", ASK)[0].getheader("Allow") == "GET, HEAD, POST"


def test_a_body_in_chunks_is_read(server):
    response, text = request(server, "POST", "/sparql", iter([b"AS", b"K {}"]), **DIRECT)
    assert response.status == 200, text


def test_a_body_in_chunks_is_read_to_the_limit_only(server):
    chunks = iter([b"#" * 2**16] * 17)
    assert request(server, "POST", "/sparql", chunks, **DIRECT)[0].status == 413


def test_without_a_query_the_endpoint_describes_itself(server):
    response, text = request(server, "GET", "/sparql", Accept="text/turtle")
    assert response.getheader("Vary") == "Accept"
    graph = rdflib.Graph().parse(data=text, format="turtle")
    endpoint = rdflib.URIRef("http://www.w3.org/ns/sparql-service-description#endpoint")
    assert list(graph.objects(None, endpoint)) == [rdflib.URIRef(address(server))]
    assert request(server, "GET", "/sparql", Accept="image/png")[0].status == 406
