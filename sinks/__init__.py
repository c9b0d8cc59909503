"""The merged graph out: Parquet tables, RDF, an embedded Cypher database, networkx; and questions to it."""

from sinks.cypher import CypherWriter
from sinks.networkx import to_networkx
from sinks.query import QueryError, QueryResult, query
from sinks.rdf import RdfWriter
from sinks.show import FactView, NodeView, Sentence, describe, find, suggest
from sinks.tables import GraphTables, TableError, write_table
from sinks.writer import GraphWriter, WriteError

# Every format, by the name that users give it.
WRITERS: dict[str, GraphWriter] = {writer.name: writer for writer in (RdfWriter(), CypherWriter())}

__all__ = [
    "WRITERS",
    "CypherWriter",
    "FactView",
    "GraphTables",
    "GraphWriter",
    "NodeView",
    "QueryError",
    "QueryResult",
    "RdfWriter",
    "Sentence",
    "TableError",
    "WriteError",
    "describe",
    "find",
    "query",
    "suggest",
    "to_networkx",
    "write_table",
]
