import re

import pytest
import rdflib
from rdflib.namespace import OWL, RDF, RDFS, SH

from schemas.rdf.files import shapes, vocabulary
from sinks import RdfWriter
from sinks.rdf import shapes as module
from sinks.rdf.description import describe_dataset
from sinks.rdf.prefixes import PREFIXES
from sinks.rdf.shapes import violations
from tests.sinks.graphs import SCHEMA, Graph, make_edge, make_node, odd_graph, random_graph, small_graph, state

FM = PREFIXES["fm"]


@pytest.mark.parametrize("graph", [small_graph(), odd_graph(), Graph()], ids=["small", "odd", "empty"])
def test_graphs_conform(graph, tmp_path):
    assert list(violations(graph.write(tmp_path), SCHEMA)) == []


def test_excerpts_cover_the_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_EDGES", 40)
    graph = random_graph(60, 100)
    graph.nodes.append(make_node("Alone"))
    tables = graph.write(tmp_path)
    seen = {"nodes": set(), "edges": set(), "evidence": set(), "documents": set()}
    for excerpt in module._excerpts(tables, None):
        for name, ids in seen.items():
            ids.update(excerpt[name]["edge" if name == "evidence" else "id"].to_pylist())
    assert seen["nodes"] == {node.id for node in graph.nodes}
    assert seen["edges"] == {edge.id for edge in graph.edges} == seen["evidence"]
    assert seen["documents"] == {row.id for row in graph.documents}
    assert sum(excerpt["edges"].num_rows for excerpt in module._excerpts(tables, 50)) == 50


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        ({"confidence": 1.5}, "not <= Literal"),
        ({"support": 0}, "not >= Literal"),
        ({"tail": "0" * 32}, None),
    ],
)
def test_what_is_wrong_is_found(breakage, message, tmp_path):
    graph = small_graph()
    graph.edges[0] = type(graph.edges[0])(
        **{**{n: getattr(graph.edges[0], n) for n in graph.edges[0].__struct_fields__}, **breakage}
    )
    found = list(violations(graph.write(tmp_path), SCHEMA))
    if message is None:
        assert found == []  # the plain edge is no matter of shapes: the checks of the tables find it
    else:
        assert [item.focus for item in found] == [f"https://w3id.org/factmill/edge/{graph.edges[0].id}"]
        assert re.search(message, found[0].message, re.I)


def test_evidence_of_a_document_that_is_not_there(tmp_path):
    a, b = make_node("A"), make_node("B")
    graph = Graph([a, b], [make_edge(a, "P17", b)])
    state(graph, graph.edges[0], "wiki:A")
    graph.documents.clear()
    found = {item.path.rsplit("#")[-1] for item in violations(graph.write(tmp_path), SCHEMA)}
    assert found >= {"wasDerivedFrom", "referenceContext"}


def test_every_word_that_is_written_is_defined_and_every_defined_word_is_used(tmp_path):
    graph = rdflib.Graph().parse(data=vocabulary(), format="turtle")
    defined = {
        str(word)
        for kind in (OWL.Class, OWL.DatatypeProperty, OWL.ObjectProperty)
        for word in graph.subjects(RDF.type, kind)
    }
    RdfWriter("ntriples").write(odd_graph().write(tmp_path), tmp_path / "graph.nt", SCHEMA)
    written = set(re.findall(rf"<({re.escape(FM)}\w+)>", (tmp_path / "graph.nt").read_text("utf-8")))
    assert written == defined
    for word in map(rdflib.URIRef, defined):
        assert graph.value(word, RDFS.label) is not None
        assert graph.value(word, RDFS.comment) is not None


def test_the_shapes_use_known_words_only():
    graph = rdflib.Graph().parse(data=shapes(), format="turtle")
    words = {str(path) for path in graph.objects(None, SH.path) if str(path).startswith(FM)}
    known = rdflib.Graph().parse(data=vocabulary(), format="turtle")
    assert words <= {str(word) for word in known.subjects(RDF.type, None)}
    assert len(list(graph.subjects(RDF.type, SH.NodeShape))) == 5


def test_the_description_counts_what_is_there_and_is_the_same_again(tmp_path):
    tables = small_graph().write(tmp_path)
    counts = RdfWriter("turtle").write(tables, tmp_path / "graph.ttl", SCHEMA)
    arguments = (tables, SCHEMA, counts["triples"], [tmp_path / "graph.ttl"], tmp_path, "turtle", None)
    text = describe_dataset(*arguments, {"name": "docred-minilm", "fingerprint": "abc"}, "1.2.3")
    assert describe_dataset(*arguments, {"name": "docred-minilm", "fingerprint": "abc"}, "1.2.3") == text
    graph = rdflib.Graph().parse(data=text, format="turtle", publicID="http://example.org/")
    (row,) = graph.query("""
        PREFIX void: <http://rdfs.org/ns/void#> PREFIX dcat: <http://www.w3.org/ns/dcat#>
        PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX dcterms: <http://purl.org/dc/terms/>
        SELECT ?triples ?entities ?people ?born ?file ?size ?model ?tool WHERE {
          ?set a void:Dataset, dcat:Dataset ; void:triples ?triples ; void:entities ?entities ;
            void:classPartition [ void:class <https://w3id.org/factmill/type/PER> ; void:entities ?people ] ;
            void:propertyPartition [ void:property <http://www.wikidata.org/prop/direct/P19> ; void:triples ?born ] ;
            dcat:distribution [ dcat:downloadURL ?file ; dcat:byteSize ?size ] ; dcat:version ?version ;
            prov:wasDerivedFrom [ dcterms:title ?model ; dcterms:identifier "abc" ] ;
            prov:wasAttributedTo [ dcterms:title ?tool ] }""")
    size = (tmp_path / "graph.ttl").stat().st_size
    wanted = (counts["triples"], 4, 2, 1, "http://example.org/graph.ttl", size, "docred-minilm", "factmill 1.2.3")
    assert tuple(term.toPython() if isinstance(term, rdflib.Literal) else str(term) for term in row) == wanted
