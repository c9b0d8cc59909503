import networkx as nx

from sinks import to_networkx
from tests.sinks.graphs import odd_graph, random_graph, small_graph


def test_nodes_and_edges_with_their_attributes(tmp_path):
    graph = small_graph()
    loaded = to_networkx(graph.write(tmp_path))
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
    assert loaded.edges[ada.id, london.id, born.id] == {"relation": "P19", "confidence": 0.9375, "support": 2}
    assert nx.node_connected_component(loaded.to_undirected(), lonely.id) == {lonely.id}


def test_everything_arrives(tmp_path):
    for graph in (odd_graph(), random_graph(60, 300)):
        loaded = to_networkx(graph.write(tmp_path))
        assert {(id, data["name"]) for id, data in loaded.nodes(data=True)} == {(n.id, n.name) for n in graph.nodes}
        assert {key for _, _, key in loaded.edges(keys=True)} == {edge.id for edge in graph.edges}
