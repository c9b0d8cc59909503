"""The merged graph out: Parquet tables, RDF, an embedded Cypher database, networkx."""

from sinks.cypher import CypherWriter
from sinks.rdf import RdfWriter
from sinks.tables import GraphTables, TableError, write_table
from sinks.writer import GraphWriter, WriteError

# Every format, by the name that users give it.
WRITERS: dict[str, GraphWriter] = {writer.name: writer for writer in (RdfWriter(), CypherWriter())}

__all__ = [
    "WRITERS",
    "CypherWriter",
    "GraphTables",
    "GraphWriter",
    "RdfWriter",
    "TableError",
    "WriteError",
    "write_table",
]
