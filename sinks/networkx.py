"""The graph as a networkx object, for graph algorithms in Python."""

from __future__ import annotations

import networkx as nx

from sinks.tables import GraphTables


def to_networkx(tables: GraphTables) -> nx.MultiDiGraph:
    """Return the graph in memory: node ids and edge ids are the keys, all other columns are attributes."""
    graph = nx.MultiDiGraph()
    for batch in tables.batches("nodes"):
        graph.add_nodes_from((node.pop("id"), node) for node in batch.to_pylist())
    for batch in tables.batches("edges"):
        graph.add_edges_from((edge.pop("head"), edge.pop("tail"), edge.pop("id"), edge) for edge in batch.to_pylist())
    return graph
