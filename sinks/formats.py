"""The file formats in which a graph can be written, by the names that users give them."""

from __future__ import annotations

from sinks.cypher.writer import CypherWriter
from sinks.exchange.csv import CsvWriter
from sinks.exchange.gexf import GexfWriter
from sinks.exchange.graphml import GraphMLWriter
from sinks.exchange.node_link import NodeLinkWriter
from sinks.neo4j.import_files import Neo4jImportWriter
from sinks.rdf.writer import RdfWriter
from sinks.writer import GraphWriter

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
# The formats that a build writes by default.
DEFAULT_FORMATS = ("rdf", "cypher")
