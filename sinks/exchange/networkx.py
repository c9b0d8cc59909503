"""The graph as an object of networkx or igraph, for graph algorithms in Python."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import RelationSchema
from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables, TableError
from sinks.writer import relation_of


def to_networkx(tables: GraphTables, schema: RelationSchema | None = None) -> nx.MultiDiGraph:
    """Return the graph in memory: node ids and edge ids are the keys, all other columns are attributes.

    Edges also have `label`, the label of their relation, and the lists `documents` and `evidence` of equal length: the
    document and the text of every sentence that supports the edge.

    Args:
        tables: the graph.
        schema: the relation schema with the labels; None takes that of the build, and relation ids as labels if the
            tables come from no build.

    Raises:
        TableError: the schema lacks a relation of the edges.
    """
    schema = schema or tables.relation_schema()
    graph = nx.MultiDiGraph()
    for batch in tables.batches("nodes"):
        graph.add_nodes_from((node.pop("id"), node) for node in batch.to_pylist())
    for table in edges_with_evidence(tables):
        edges = with_labels(table, schema).to_pylist()
        graph.add_edges_from((edge.pop("head"), edge.pop("tail"), edge.pop("id"), edge) for edge in edges)
    return graph


def to_igraph(tables: GraphTables, schema: RelationSchema | None = None) -> Any:
    """Return the graph in memory as a directed `igraph.Graph`; needs `pip install igraph`.

    Vertices have the columns of the nodes as attributes. Their `name`, by which igraph finds them, is the id, and their
    `label` is the name of the node. Edges have the columns of the edges except their ends, and the label of their
    relation as `label`.

    Args:
        tables: the graph.
        schema: as for `to_networkx`.

    Raises:
        TableError: an edge ends at a node that is not there, or the schema lacks a relation of the edges.
    """
    igraph = import_module("igraph")
    nodes, edges = tables.read("nodes"), with_labels(tables.read("edges"), schema or tables.relation_schema())
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


def with_labels(edges: pa.Table, schema: RelationSchema | None) -> pa.Table:
    """Return the edges with the column `label` after `relation`; without a schema it holds the relation ids."""
    relations = edges["relation"]
    used = relations.unique()
    labels = [relation_of(schema, id).label if schema else id for id in used.to_pylist()]
    column = pa.array(labels, pa.string()).take(pc.index_in(relations, value_set=used).combine_chunks())
    return edges.add_column(edges.column_names.index("relation") + 1, "label", column)
