import pyarrow as pa
import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks import RdfWriter
from sinks.iris import encoded, knowledge_base_iris
from sinks.rdf import literals
from tests.sinks.graphs import ODD_NAMES, SCHEMA, odd_graph, random_graph, small_graph
from tests.sinks.readers import RdfReader


def test_equal_tables_give_equal_bytes_whatever_their_order(tmp_path):
    graph = random_graph(60, 150)
    RdfWriter().write(graph.write(tmp_path), tmp_path / "first", SCHEMA)
    for rows in (graph.nodes, graph.edges, graph.evidence, graph.documents):
        rows.reverse()
    RdfWriter().write(graph.write(tmp_path), tmp_path / "second", SCHEMA)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_every_line_is_counted_and_none_comes_twice(tmp_path):
    counts = RdfWriter().write(odd_graph().write(tmp_path), tmp_path / "out", SCHEMA)
    lines = (tmp_path / "out").read_bytes().removesuffix(b"\n").split(b"\n")
    assert counts["quads"] == len(lines) == len(set(lines))
    assert all(line.startswith(b"<") and line.endswith(b" .") for line in lines)


def test_sparql_answers_with_confidence_and_origin(tmp_path):
    RdfWriter().write(small_graph().write(tmp_path), tmp_path / "graph.nq", SCHEMA)
    store = pyoxigraph.Store()
    store.load(path=str(tmp_path / "graph.nq"), format=pyoxigraph.RdfFormat.N_QUADS)
    rows = store.query("""
        PREFIX wdt: <http://www.wikidata.org/prop/direct/>
        PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
        PREFIX fm: <https://w3id.org/factmill/vocabulary#>
        PREFIX prov: <http://www.w3.org/ns/prov#>
        PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
        PREFIX dcterms: <http://purl.org/dc/terms/>
        SELECT ?place ?page ?confidence ?title WHERE {
          ?ada skos:altLabel "Countess of Lovelace" ; wdt:P19 ?london .
          ?london rdfs:label ?place ; skos:exactMatch ?page .
          ?edge rdf:reifies <<( ?ada wdt:P19 ?london )>> ; fm:confidence ?confidence ; prov:wasDerivedFrom ?document .
          ?document dcterms:title ?title FILTER(?confidence > 0.9)
        } ORDER BY ?title
    """)
    found = [tuple(term.value for term in row) for row in rows]
    page = "https://en.wikipedia.org/wiki/London"
    assert found == [("London", page, "0.9375", "17942999"), ("London", page, "0.9375", "Ada Lovelace")]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text() | st.sampled_from(ODD_NAMES), min_size=1, max_size=5))
def test_literals_are_parsed_back_as_they_were(texts):
    written = literals(pa.array(texts, pa.string())).to_pylist()
    document = "".join(f"<x:s> <x:p{number}> {literal} .\n" for number, literal in enumerate(written))
    parsed = list(pyoxigraph.parse(document.encode(), format=pyoxigraph.RdfFormat.N_QUADS))
    assert [quad.object.value for quad in parsed] == texts


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text() | st.sampled_from(ODD_NAMES), min_size=1, max_size=5))
def test_different_ids_give_different_valid_iris(ids):
    iris = encoded(pa.array(ids, pa.string())).to_pylist()
    assert len(set(iris)) == len(set(ids))
    assert all(pyoxigraph.NamedNode(f"https://w3id.org/factmill/document/{iri}") for iri in iris)
    assert all(iri.isascii() and not set(iri) & set(' <>"{}|^`\\?#[]') for iri in iris)


@pytest.mark.parametrize(
    ("id", "iri"),
    [
        ("wiki:Douglas Adams", "https://en.wikipedia.org/wiki/Douglas_Adams"),
        ("wiki:C#/100%?", "https://en.wikipedia.org/wiki/C%23/100%25%3F"),
        ("wiki:Łódź", "https://en.wikipedia.org/wiki/%C5%81%C3%B3d%C5%BA"),
        ("mesh:D008094", "http://id.nlm.nih.gov/mesh/D008094"),
        ("ncbigene:4129", "https://identifiers.org/ncbigene:4129"),
        ("wikidata:Q42", "http://www.wikidata.org/entity/Q42"),
        ("omim:1 2", "https://w3id.org/factmill/kb/omim:1%202"),
        ("wiki", "https://w3id.org/factmill/kb/wiki"),
        ("", "https://w3id.org/factmill/kb/"),
    ],
)
def test_iris_of_knowledge_bases(id, iri):
    assert knowledge_base_iris(pa.array([id])).to_pylist() == [f"<{iri}>"]


def test_the_reader_of_the_tests_agrees_with_the_documented_iris():
    ids = ["wiki:A b%", "mesh:D1", "other:x y"]
    assert [f"<{RdfReader.knowledge_base(id)}>" for id in ids] == knowledge_base_iris(pa.array(ids)).to_pylist()
