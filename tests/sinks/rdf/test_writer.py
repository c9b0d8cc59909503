import gzip

import pyarrow as pa
import pyoxigraph
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib.compare import isomorphic

from schemas import load_relation_schema
from sinks import RdfWriter
from sinks.rdf import writer as module
from sinks.rdf.iris import encoded, knowledge_base_iris
from sinks.rdf.prefixes import PREFIXES, shortened
from sinks.tables.arrow_text import concat, escaped
from tests.sinks.graphs import ODD_NAMES, SCHEMA, Graph, make_edge, make_node, odd_graph, random_graph, small_graph
from tests.sinks.readers import RdfReader

SPARQL = "".join(f"PREFIX {prefix}: <{base}>\n" for prefix, base in PREFIXES.items())


def ask(path, query):
    store = pyoxigraph.Store()
    for quad in RdfReader.quads(path):
        store.add(quad)
    return [tuple(term.value if term else None for term in row) for row in store.query(SPARQL + query)]


def test_equal_tables_give_equal_bytes_whatever_their_order(tmp_path):
    graph = random_graph(60, 150)
    RdfWriter().write(graph.write(tmp_path), tmp_path / "first", SCHEMA)
    for rows in (graph.nodes, graph.edges, graph.evidence, graph.documents):
        rows.reverse()
    RdfWriter().write(graph.write(tmp_path), tmp_path / "second", SCHEMA)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("syntax", ["nquads", "turtle", "jsonld"])
def test_batches_of_any_size_give_the_same_bytes(syntax, tmp_path, monkeypatch):
    tables = random_graph(60, 150).write(tmp_path)
    RdfWriter(syntax).write(tables, tmp_path / "first", SCHEMA)
    monkeypatch.setattr(module, "_ROWS", 7)
    RdfWriter(syntax).write(tables, tmp_path / "second", SCHEMA)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("version", ["1.2", "1.1"])
def test_every_line_is_counted_and_none_comes_twice(version, tmp_path):
    counts = RdfWriter("ntriples", version).write(odd_graph().write(tmp_path), tmp_path / "out", SCHEMA)
    lines = (tmp_path / "out").read_bytes().removesuffix(b"\n").split(b"\n")
    assert counts["triples"] == len(lines) == len(set(lines))
    assert all(line.startswith(b"<") and line.endswith(b" .") for line in lines)


@pytest.mark.parametrize("graph", [small_graph(), odd_graph(), Graph()], ids=["small", "odd", "empty"])
def test_all_syntaxes_say_the_same(graph, tmp_path):
    tables = graph.write(tmp_path)
    said = {}
    for version, syntaxes in {"1.2": ("nquads", "turtle", "trig"), "1.1": ("ntriples", "turtle", "jsonld")}.items():
        for syntax in syntaxes:
            writer = RdfWriter(syntax, version)
            counts = writer.write(tables, tmp_path / writer.file, SCHEMA)
            quads = RdfReader.quads(tmp_path / writer.file)
            assert len(quads) == counts["triples"]
            assert said.setdefault(version, set(quads)) == set(quads)


@pytest.mark.parametrize(
    ("syntax", "format"), [("nquads", "nquads"), ("ntriples", "nt11"), ("turtle", "turtle"), ("jsonld", "json-ld")]
)
def test_rdflib_reads_the_same_graph_in_the_forms_of_rdf_1_1(syntax, format, tmp_path):
    writer = RdfWriter(syntax, "1.1")
    writer.write(odd_graph().write(tmp_path), tmp_path / writer.file, SCHEMA)
    own = rdflib.Dataset(default_union=True)
    own.parse(tmp_path / writer.file, format="nt" if format == "nt11" else format)
    other = rdflib.Graph()
    triples = [quad.triple for quad in RdfReader.quads(tmp_path / writer.file)]
    other.parse(data=pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.N_TRIPLES), format="nt")
    read = rdflib.Graph()
    for triple in own.triples((None, None, None)):
        read.add(triple)
    assert len(read) == len(triples)
    assert isomorphic(read, other)


def test_sparql_answers_with_confidence_and_origin(tmp_path):
    RdfWriter().write(small_graph().write(tmp_path), tmp_path / "graph.nq", SCHEMA)
    found = ask(
        tmp_path / "graph.nq",
        """
        SELECT ?place ?page ?confidence ?title WHERE {
          ?ada skos:altLabel "Countess of Lovelace" ; wdt:P19 ?london .
          ?london rdfs:label ?place ; skos:exactMatch ?page .
          ?edge rdf:reifies <<( ?ada wdt:P19 ?london )>> ; fm:confidence ?confidence ; prov:wasDerivedFrom ?document .
          ?document dcterms:title ?title FILTER(?confidence > 0.9)
        } ORDER BY ?title""",
    )
    page = "https://en.wikipedia.org/wiki/London"
    assert found == [("London", page, "0.9375", "17942999"), ("London", page, "0.9375", "Ada Lovelace")]


def test_evidence_says_where_in_the_document_it_stands(tmp_path):
    RdfWriter("turtle").write(small_graph().write(tmp_path), tmp_path / "graph.ttl", SCHEMA)
    found = ask(
        tmp_path / "graph.ttl",
        """
        SELECT ?text ?begin ?end ?sentence ?head ?tail WHERE {
          ?ada wdt:P22 ?father . ?edge rdf:reifies <<( ?ada wdt:P22 ?father )>> ; fm:evidence ?evidence .
          ?evidence nif:anchorOf ?text ; nif:beginIndex ?begin ; nif:endIndex ?end ; nif:referenceContext ?document ;
            fm:sentence ?sentence ; fm:head ?head ; fm:tail ?tail }""",
    )
    document = "https://w3id.org/factmill/document/wiki:Ada%20Lovelace"
    text = "Ada Lovelace ~ Lord Byron."
    assert found == [(text, "100", "126", "1", f"{document}#char=100,112", f"{document}#char=115,125")]


def test_statements_of_rdf_1_1_are_asked_as_in_wikidata(tmp_path):
    RdfWriter("turtle", "1.1").write(small_graph().write(tmp_path), tmp_path / "graph.ttl", SCHEMA)
    asked = """
        SELECT ?place ?confidence WHERE {
          wd:P19 wikibase:claim ?claim ; wikibase:statementProperty ?value ; wikibase:directClaim wdt:P19 .
          ?ada ?claim ?statement . ?statement ?value ?london ; fm:confidence ?confidence .
          ?london rdfs:label ?place }"""
    assert ask(tmp_path / "graph.ttl", asked) == [("London", "0.9375")]


def test_relations_that_are_not_of_wikidata_get_claims_of_their_own(tmp_path):
    schema = load_relation_schema("cdr")
    drug, effect = make_node("Aspirin", "Chemical", "mesh:D001241"), make_node("Ulcer", "Disease", "mesh:D014456")
    tables = Graph([drug, effect], [make_edge(drug, "CID", effect)]).write(tmp_path)
    RdfWriter("turtle", "1.1").write(tables, tmp_path / "graph.ttl", schema)
    asked = """
        SELECT ?mesh ?confidence WHERE {
          ?drug relation:CID ?effect ; claim:CID ?statement . ?statement statement:CID ?effect .
          ?statement fm:confidence ?confidence . ?effect skos:exactMatch ?mesh }"""
    assert ask(tmp_path / "graph.ttl", asked) == [("http://id.nlm.nih.gov/mesh/D014456", "0.75")]


def test_types_and_relations_are_described(tmp_path):
    RdfWriter("turtle").write(small_graph().write(tmp_path), tmp_path / "graph.ttl", SCHEMA)
    asked = "SELECT ?label WHERE { ?thing rdfs:subClassOf fm:Entity ; rdfs:label ?label } ORDER BY ?label"
    assert [row[0] for row in ask(tmp_path / "graph.ttl", asked)] == sorted(SCHEMA.entity_types)
    asked = "SELECT ?comment WHERE { wdt:P19 a rdf:Property ; rdfs:label 'place of birth' ; rdfs:comment ?comment }"
    assert ask(tmp_path / "graph.ttl", asked) == [(SCHEMA.by_id["P19"].description,)]


def test_what_a_source_says_of_a_document_is_a_property_of_its_own(tmp_path):
    RdfWriter("turtle").write(small_graph().write(tmp_path), tmp_path / "graph.ttl", SCHEMA)
    asked = "SELECT ?value WHERE { <https://w3id.org/factmill/document/pubmed:17942999> metadata:mesh ?value }"
    assert sorted(ask(tmp_path / "graph.ttl", asked)) == [("Odd \x00 'heading'",), ("Other",)]


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
@pytest.mark.parametrize("syntax", ["ntriples", "trig", "jsonld"])
def test_parts_are_whole_files_of_like_size_that_make_up_the_graph(syntax, compression, tmp_path):
    tables = random_graph(60, 300).write(tmp_path)
    whole = RdfWriter(syntax)
    parts = RdfWriter(syntax, parts=5, compression=compression)
    whole.write(tables, tmp_path / whole.file, SCHEMA)
    parts.write(tables, tmp_path / "folder", SCHEMA)
    files = sorted(path for path in (tmp_path / "folder").iterdir() if not path.name.startswith("."))
    assert [path.name.partition(".")[0] for path in files] == [f"graph-0000{number}-of-00005" for number in range(5)]
    sizes = [len(RdfReader.quads(file)) for file in files]
    assert sum(sizes) == len(RdfReader.quads(tmp_path / whole.file))
    assert min(sizes) > 100
    assert set(RdfReader.quads(tmp_path / "folder")) == set(RdfReader.quads(tmp_path / whole.file))


def test_compressed_files_are_the_same_bytes_again(tmp_path):
    tables = small_graph().write(tmp_path)
    for compression in ("gzip", "zstd"):
        for name in ("first", "second"):
            RdfWriter(compression=compression).write(tables, tmp_path / name, SCHEMA)
        assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    RdfWriter(compression="gzip").write(tables, tmp_path / "graph.nq.gz", SCHEMA)
    RdfWriter().write(tables, tmp_path / "graph.nq", SCHEMA)
    assert gzip.decompress((tmp_path / "graph.nq.gz").read_bytes()) == (tmp_path / "graph.nq").read_bytes()


def test_memory_does_not_grow_with_the_graph(tmp_path):
    tables = random_graph(6_000, 40_000).write(tmp_path)
    pool = pa.default_memory_pool()
    before, peak = pool.bytes_allocated(), 0

    write = module.SplitOutput.write

    def watched(self, texts):
        nonlocal peak
        peak = max(peak, pool.bytes_allocated() - before)
        write(self, texts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS", 500)
        patch.setattr(module.SplitOutput, "write", watched)
        RdfWriter().write(tables, tmp_path / "graph.nq", SCHEMA)
    assert (tmp_path / "graph.nq").stat().st_size > 100_000_000
    assert peak < 30_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"syntax": "rdfxml"}, "no RDF in rdfxml"),
        ({"version": "2.0"}, "take one of nquads, .*1.2 or 1.1"),
        ({"compression": "rar"}, "gzip or zstd"),
        ({"syntax": "jsonld", "version": "1.2"}, "JSON-LD has no triple terms"),
    ],
)
def test_forms_that_do_not_exist_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RdfWriter(**options)


@settings(max_examples=200)
@given(st.lists(st.text() | st.sampled_from(ODD_NAMES), min_size=1, max_size=5))
def test_literals_are_parsed_back_as_they_were(texts):
    written = concat(['"', escaped(pa.array(texts, pa.string())), '"'], len(texts)).to_pylist()
    document = "".join(f"<x:s> <x:p{number}> {literal} .\n" for number, literal in enumerate(written))
    parsed = list(pyoxigraph.parse(document.encode(), format=pyoxigraph.RdfFormat.N_QUADS))
    assert [quad.object.value for quad in parsed] == texts


@settings(max_examples=200)
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
    assert knowledge_base_iris(pa.array([id])).to_pylist() == [iri]


def test_the_reader_of_the_tests_agrees_with_the_documented_iris():
    ids = ["wiki:A b%", "mesh:D1", "other:x y"]
    assert [RdfReader.knowledge_base(id) for id in ids] == knowledge_base_iris(pa.array(ids)).to_pylist()


def test_iris_are_shortened_where_the_rest_is_a_word():
    assert shortened("http://www.wikidata.org/prop/direct/P19") == "wdt:P19"
    assert shortened("https://w3id.org/factmill/relation/CID") == "relation:CID"
    assert shortened("https://w3id.org/factmill/relation/a/b") is None
    assert shortened("http://example.org/x") is None
