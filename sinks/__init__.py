"""The merged graph out: Parquet tables, RDF, an embedded Cypher database, networkx; and questions to it."""

from sinks.cypher.query import QueryError, QueryResult, query
from sinks.cypher.writer import CypherWriter
from sinks.exchange.csv import CsvWriter
from sinks.exchange.gexf import GexfWriter
from sinks.exchange.graphml import GraphMLWriter
from sinks.exchange.networkx import to_igraph, to_networkx
from sinks.exchange.node_link import NodeLinkWriter
from sinks.neo4j.import_files import Neo4jImportWriter
from sinks.rdf.writer import RdfWriter
from sinks.show import FactView, JoinedView, LinkedView, NodeView, Sentence, describe, find, joined, linked, suggest
from sinks.tables.tables import GraphTables, TableError, write_table
from sinks.writer import GraphWriter, ServerWriter, WriteError, server_writer

# Every format, by the name that users give it.
WRITERS: dict[str, GraphWriter] = {
    writer.name: writer
    for writer in (
        RdfWriter("nquads"),
        RdfWriter("ntriples"),
        RdfWriter("turtle"),
        RdfWriter("trig"),
        RdfWriter("jsonld"),
        CypherWriter(),
        GraphMLWriter(),
        GexfWriter(),
        NodeLinkWriter(),
        CsvWriter(),
        Neo4jImportWriter("csv"),
        Neo4jImportWriter("parquet"),
    )
}
# What a build makes unless it is told otherwise.
DEFAULT_FORMATS = ("rdf", "cypher")

__all__ = [
    "DEFAULT_FORMATS",
    "WRITERS",
    "CsvWriter",
    "CypherWriter",
    "FactView",
    "GexfWriter",
    "GraphMLWriter",
    "GraphTables",
    "GraphWriter",
    "JoinedView",
    "LinkedView",
    "Neo4jImportWriter",
    "NodeLinkWriter",
    "NodeView",
    "QueryError",
    "QueryResult",
    "RdfWriter",
    "Sentence",
    "ServerWriter",
    "TableError",
    "WriteError",
    "describe",
    "find",
    "joined",
    "linked",
    "query",
    "server_writer",
    "suggest",
    "to_igraph",
    "to_networkx",
    "write_table",
]
