import pytest

import factmill

BORN = "MATCH (a)-[:PLACE_OF_BIRTH]->(b) RETURN a.name AS who, b.name AS place ORDER BY who"


def test_tables_are_arrow_and_become_data_frames(graph):
    assert {"Marie Curie", "Pierre Curie", "Warsaw", "Paris"} <= set(graph.nodes["name"].to_pylist())
    frame = graph.edges.to_pandas()
    assert len(frame) == graph.edges.num_rows > 0
    assert set(graph.nodes.to_pandas()["id"]) >= set(frame["head"]) | set(frame["tail"])
    assert graph.table("documents").num_rows == 2
    with pytest.raises(ValueError, match="no table 'people': use one of nodes, edges"):
        graph.table("people")


def test_cypher(graph):
    answer = graph.query(BORN)
    assert answer.columns == ("who", "place")
    assert list(answer) == [("Marie Curie", "Warsaw"), ("Pierre Curie", "Paris")]
    assert (len(answer), answer[0]) == (2, ("Marie Curie", "Warsaw"))
    assert answer.to_dicts()[1] == {"who": "Pierre Curie", "place": "Paris"}
    assert answer.to_pandas()["place"].tolist() == ["Warsaw", "Paris"]
    assert repr(answer) == "QueryRows(who, place: 2 rows)"
    assert str(answer).splitlines()[1] == "  Marie Curie | Warsaw"
    assert "<td" in answer._repr_html_()
    named = graph.query("MATCH (a) WHERE a.name = $name RETURN a.type", {"name": "Marie Curie"})
    assert named.rows == (("PER",),)
    with pytest.raises(factmill.QueryError):
        graph.query("CREATE (:X)")


def test_sparql(graph):
    answer = graph.sparql("SELECT ?who ?place { ?a wdt:P19 ?b . ?a rdfs:label ?who . ?b rdfs:label ?place }")
    assert sorted(answer) == [("Marie Curie", "Warsaw"), ("Pierre Curie", "Paris")]
    assert graph.sparql("ASK { ?a wdt:P19 ?b }").rows == ((True,),)
    [(confidence,)] = graph.sparql(
        "SELECT ?c { ?e rdf:reifies <<( ?a wdt:P19 ?b )>> ; fm:confidence ?c . ?a rdfs:label 'Marie Curie' }"
    )
    assert 0.5 < confidence < 1
    triples = graph.sparql("CONSTRUCT { ?a fm:bornIn ?b } WHERE { ?a wdt:P19 ?b }")
    assert triples.columns == ("subject", "predicate", "object")
    assert len(triples) == 2
    assert all(subject.startswith("http") for subject, *_ in triples)
    assert graph.sparql("SELECT ?x { VALUES ?x { 1 1.5 1e0 true 'a' UNDEF } }").rows == (
        (1,),
        (1.5,),
        (1.0,),
        (True,),
        ("a",),
        (None,),
    )
    with pytest.raises(factmill.QueryError):
        graph.sparql("DELETE WHERE { ?a ?b ?c }")


def test_show(graph):
    node = graph.show("marie  curie")
    assert (node.name, node.type) == ("Marie Curie", "PER")
    born = next(edge for edge in node.facts if edge.relation.label == "place of birth")
    assert (born.head.name, born.tail.name, born.support) == ("Marie Curie", "Warsaw", 1)
    [sentence] = born.evidence
    assert sentence.text == "Marie Curie was born in Warsaw."
    [(start, end)] = sentence.tail_spans
    assert sentence.text[start:end] == "Warsaw"
    shown = repr(node).splitlines()
    assert shown[0] == "Marie Curie (PER)"
    assert any(line.endswith("Marie Curie -- place of birth -> Warsaw") for line in shown)
    assert graph.show(node.id) == node


def test_facts_go_from_head_to_tail_whichever_end_is_shown(graph):
    assert any((edge.head.name, edge.tail.name) == ("Marie Curie", "Warsaw") for edge in graph.show("Warsaw").facts)


def test_a_name_that_is_not_there(graph):
    with pytest.raises(LookupError, match=r"the graph has no 'Mari Curie'; it has .*'Marie Curie'"):
        graph.show("Mari Curie")
    assert graph.find("Mari Curie") == []


def test_networkx_has_labels(graph):
    network = graph.to_networkx()
    assert network.number_of_nodes() == graph.nodes.num_rows
    assert {(data["relation"], data["label"]) for *_, data in network.edges(data=True)} >= {("P19", "place of birth")}


def test_top_edges(graph):
    edges = graph.top_edges(3)
    assert [edge.confidence for edge in edges] == sorted(graph.edges["confidence"].to_pylist(), reverse=True)[:3]
    assert edges[0].relation.label


def test_a_graph_is_opened_by_str_and_path(graph):
    for folder in (graph.folder, str(graph.folder)):
        assert factmill.open(folder).nodes.equals(graph.nodes)
    assert repr(graph).startswith("Graph('") and repr(graph).endswith("edges, 2 documents)")
    assert graph.schema.name == "docred"


def test_what_is_no_graph(tmp_path):
    with pytest.raises(factmill.BuildError, match="is no graph"):
        factmill.open(tmp_path / "absent")
    with pytest.raises(TypeError, match="the folder of a graph is a str or a path, not int"):
        factmill.open(3)


def test_export(graph, tmp_path):
    assert graph.export("graphml", str(tmp_path / "people.graphml"))["nodes"] == graph.nodes.num_rows
    assert (tmp_path / "people.graphml").read_text("utf-8").startswith("<?xml")
    with pytest.raises(factmill.WriteError, match="no format 'dot'"):
        graph.export("dot", tmp_path / "people.dot")
