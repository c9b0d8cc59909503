"""Extract facts from texts, and build knowledge graphs from corpora.

    import factmill

    model = factmill.load("docred-minilm")
    for fact in model("Marie Curie was born in Warsaw.").facts:
        print(fact.head.name, fact.relation.label, fact.tail.name, fact.probability)

    graph = factmill.build(["articles/"], "people")
    graph.query("MATCH (a)-[r]->(b) RETURN a.name, type(r), b.name")

The names below are imported when they are first used, since torch and Beam take seconds to load. Using them changes
nothing in the process: no logging levels, no numbers of threads, no environment variables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractors import CheckpointError
    from extractors.inference.confidence import PrecisionError
    from factmill.building import build
    from factmill.documents import GivenEntity, make_document
    from factmill.graph import Graph
    from factmill.graph import open_graph as open
    from factmill.graph_node import GraphEdge, GraphNode
    from factmill.model import Model, load
    from factmill.query_rows import QueryRows
    from factmill.result import ExtractedEntity, ExtractedFact, Result, Span
    from pipeline.dead_letters import BuildError, BuildFailed
    from schemas import Document, Node, Relation, RelationSchema, SchemaError, load_relation_schema
    from schemas.plugins import PluginError
    from sinks import QueryError, TableError, WriteError

# The module of every public name, and its name there where that is another one.
_HOME = {
    "BuildError": "pipeline.dead_letters",
    "BuildFailed": "pipeline.dead_letters",
    "CheckpointError": "extractors",
    "Document": "schemas",
    "ExtractedEntity": "factmill.result",
    "ExtractedFact": "factmill.result",
    "GivenEntity": "factmill.documents",
    "Graph": "factmill.graph",
    "GraphEdge": "factmill.graph_node",
    "GraphNode": "factmill.graph_node",
    "Model": "factmill.model",
    "Node": "schemas",
    "PluginError": "schemas.plugins",
    "PrecisionError": "extractors.inference.confidence",
    "QueryError": "sinks",
    "QueryRows": "factmill.query_rows",
    "Relation": "schemas",
    "RelationSchema": "schemas",
    "Result": "factmill.result",
    "SchemaError": "schemas",
    "Span": "factmill.result",
    "TableError": "sinks",
    "WriteError": "sinks",
    "build": "factmill.building",
    "load": "factmill.model",
    "load_relation_schema": "schemas",
    "make_document": "factmill.documents",
    "open": "factmill.graph",
}
_NAME_THERE = {"open": "open_graph"}

__all__ = [
    "BuildError",
    "BuildFailed",
    "CheckpointError",
    "Document",
    "ExtractedEntity",
    "ExtractedFact",
    "GivenEntity",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Model",
    "Node",
    "PluginError",
    "PrecisionError",
    "QueryError",
    "QueryRows",
    "Relation",
    "RelationSchema",
    "Result",
    "SchemaError",
    "Span",
    "TableError",
    "WriteError",
    "build",
    "load",
    "load_relation_schema",
    "make_document",
    "open",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'factmill' has no attribute '{name}'")
    from factmill.own_packages import claim_own_packages

    claim_own_packages()
    value = getattr(import_module(_HOME[name]), _NAME_THERE.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
