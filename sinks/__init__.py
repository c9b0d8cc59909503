"""The merged graph as Parquet tables, RDF, Cypher and networkx, its export to other programs, and queries on it.

The names below are imported when they are first used: databases and Arrow take a second to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sinks.cypher.writer import CypherWriter
    from sinks.exchange.csv import CsvWriter
    from sinks.exchange.gexf import GexfWriter
    from sinks.exchange.graphml import GraphMLWriter
    from sinks.exchange.networkx import to_igraph, to_networkx
    from sinks.exchange.node_link import NodeLinkWriter
    from sinks.formats import DEFAULT_FORMATS, WRITERS, find_writer, writer_names
    from sinks.neo4j.import_files import Neo4jImportWriter
    from sinks.questions.cypher import CypherDatabase, QueryResult, query
    from sinks.questions.query_limits import QueryError, QueryLimits
    from sinks.questions.show import (
        FactView,
        LinkedView,
        MergedView,
        NodeView,
        Sentence,
        describe,
        find,
        linked_names,
        merged_names,
        suggest,
    )
    from sinks.questions.sparql import SparqlStore
    from sinks.rdf.writer import RdfWriter
    from sinks.tables.tables import GraphTables, TableError, write_table
    from sinks.writer import GraphWriter, ServerWriter, WriteError, server_writer

_NAMES = {
    "sinks.questions.cypher": ("CypherDatabase", "QueryResult", "query"),
    "sinks.questions.query_limits": ("QueryError", "QueryLimits"),
    "sinks.questions.sparql": ("SparqlStore",),
    "sinks.cypher.writer": ("CypherWriter",),
    "sinks.exchange.csv": ("CsvWriter",),
    "sinks.exchange.gexf": ("GexfWriter",),
    "sinks.exchange.graphml": ("GraphMLWriter",),
    "sinks.exchange.networkx": ("to_igraph", "to_networkx"),
    "sinks.exchange.node_link": ("NodeLinkWriter",),
    "sinks.formats": ("DEFAULT_FORMATS", "WRITERS", "find_writer", "writer_names"),
    "sinks.neo4j.import_files": ("Neo4jImportWriter",),
    "sinks.rdf.writer": ("RdfWriter",),
    "sinks.questions.show": (
        "FactView",
        "MergedView",
        "LinkedView",
        "NodeView",
        "Sentence",
        "describe",
        "find",
        "merged_names",
        "linked_names",
        "suggest",
    ),
    "sinks.tables.tables": ("GraphTables", "TableError", "write_table"),
    "sinks.writer": ("GraphWriter", "ServerWriter", "WriteError", "server_writer"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "DEFAULT_FORMATS",
    "WRITERS",
    "CsvWriter",
    "CypherDatabase",
    "CypherWriter",
    "FactView",
    "GexfWriter",
    "GraphMLWriter",
    "GraphTables",
    "GraphWriter",
    "LinkedView",
    "MergedView",
    "Neo4jImportWriter",
    "NodeLinkWriter",
    "NodeView",
    "QueryError",
    "QueryLimits",
    "QueryResult",
    "RdfWriter",
    "Sentence",
    "ServerWriter",
    "SparqlStore",
    "TableError",
    "WriteError",
    "describe",
    "find",
    "find_writer",
    "linked_names",
    "merged_names",
    "query",
    "server_writer",
    "suggest",
    "to_igraph",
    "to_networkx",
    "write_table",
    "writer_names",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sinks' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
