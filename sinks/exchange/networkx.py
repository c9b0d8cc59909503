"""The graph as an object of networkx or igraph, for graph algorithms in Python."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.compute as pc

from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables, TableError


def to_networkx(tables: GraphTables) -> nx.MultiDiGraph:
    """Return the graph in memory: node ids and edge ids are the keys, all other columns are attributes.

    Edges also have the lists `documents` and `evidence` of equal length: document and text of every sentence.
    """
    graph = nx.MultiDiGraph()
    for batch in tables.batches("nodes"):
        graph.add_nodes_from((node.pop("id"), node) for node in batch.to_pylist())
    for table in edges_with_evidence(tables):
        graph.add_edges_from((edge.pop("head"), edge.pop("tail"), edge.pop("id"), edge) for edge in table.to_pylist())
    return graph


def to_igraph(tables: GraphTables) -> Any:
    """Return the graph in memory as a directed `igraph.Graph`; needs `pip install igraph`.

    Vertices have the columns of the nodes as attributes, and the id as `name`, by which igraph finds them; their own
    name is `label`. Edges have the columns of the edges except their ends.

    Raises:
        TableError: an edge ends at a node that is not there.
    """
    igraph = import_module("igraph")
    nodes, edges = tables.read("nodes"), tables.read("edges")
    ends = [pc.index_in(edges[end], value_set=nodes["id"].combine_chunks()) for end in ("head", "tail")]
    if any(end.null_count for end in ends):
        raise TableError("an edge ends at a node that the nodes lack: build the tables again")
    vertices = nodes.rename_columns({"id": "name", "name": "label"}).to_pydict()
    graph = igraph.Graph(
        n=len(nodes), edges=np.stack([end.to_numpy() for end in ends], 1), directed=True, vertex_attrs=vertices
    )
    for name in edges.drop_columns(["head", "tail"]).column_names:
        graph.es[name] = edges[name].to_pylist()
    return graph
