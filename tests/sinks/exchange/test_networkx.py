import msgspec
import networkx as nx
import pytest

from sinks import GraphTables, TableError, to_igraph, to_networkx
from tests.sinks.graphs import SCHEMA, Graph, make_edge, make_node, odd_graph, random_graph, small_graph


def test_nodes_and_edges_with_their_attributes(tmp_path):
    graph = small_graph()
    loaded = to_networkx(graph.write(tmp_path), SCHEMA)
    ada, byron, london, lonely = graph.nodes
    assert loaded.nodes[ada.id] == {
        "name": "Ada Lovelace",
        "type": "PER",
        "aliases": list(ada.aliases),
        "kb_ids": ["wiki:Ada Lovelace"],
        "support": 3,
        "mentions": 4,
    }
    born, father = graph.edges
    assert set(loaded.edges(keys=True)) == {(ada.id, london.id, born.id), (ada.id, byron.id, father.id)}
    assert loaded.edges[ada.id, london.id, born.id] == {
        "relation": "P19",
        "label": "place of birth",
        "confidence": 0.9375,
        "support": 2,
        "independent": 1,
        "derived_from": [],
        "conflict": False,
        "rank": 0,
        "documents": ["pubmed:17942999", "wiki:Ada Lovelace", "wiki:Ada Lovelace"],
        "evidence": ["Ada Lovelace ~ London."] * 3,
    }
    assert nx.node_connected_component(loaded.to_undirected(), lonely.id) == {lonely.id}


def test_labels_come_from_the_report_of_the_build(tmp_path):
    tables = small_graph().write(tmp_path)
    assert {edge["label"] for *_, edge in to_networkx(tables).edges(data=True)} == {"P19", "P22"}
    (tmp_path / "run.json").write_bytes(msgspec.json.encode({"relation_schema": SCHEMA}))
    labels = {"place of birth", "father"}
    assert {edge["label"] for *_, edge in to_networkx(GraphTables.open(str(tmp_path))).edges(data=True)} == labels
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(TableError, match=r"run.json' holds no relation schema"):
        to_networkx(tables)


def test_everything_arrives(tmp_path):
    for graph in (odd_graph(), random_graph(60, 300)):
        loaded = to_networkx(graph.write(tmp_path))
        assert {(id, data["name"]) for id, data in loaded.nodes(data=True)} == {(n.id, n.name) for n in graph.nodes}
        assert {key for _, _, key in loaded.edges(keys=True)} == {edge.id for edge in graph.edges}


def test_igraph(tmp_path):
    pytest.importorskip("igraph")
    for graph in (odd_graph(), random_graph(60, 300), small_graph()):
        loaded = to_igraph(graph.write(tmp_path))
        assert {(v["name"], v["label"], v["type"]) for v in loaded.vs} == {(n.id, n.name, n.type) for n in graph.nodes}
        assert loaded.es["label"] == loaded.es["relation"]
        assert {(loaded.vs[e.source]["name"], e["relation"], loaded.vs[e.target]["name"]) for e in loaded.es} == {
            (edge.head, edge.relation, edge.tail) for edge in graph.edges
        }
    assert to_igraph(Graph().write(tmp_path)).vcount() == 0
    stray = Graph([make_node("A")], [make_edge(make_node("A"), "P17", make_node("B"))])
    with pytest.raises(TableError, match="a node that the nodes lack"):
        to_igraph(stray.write(tmp_path))
