"""The file formats of graphs by name: those of factmill, and those that installed distributions register."""

from __future__ import annotations

from schemas.plugins import load_plugin, plugin_names, wrong_plugin
from sinks.cypher.writer import CypherWriter
from sinks.exchange.csv import CsvWriter
from sinks.exchange.gexf import GexfWriter
from sinks.exchange.graphml import GraphMLWriter
from sinks.exchange.node_link import NodeLinkWriter
from sinks.neo4j.import_files import Neo4jImportWriter
from sinks.rdf.writer import RdfWriter
from sinks.writer import GraphWriter, WriteError

# The group of entry points under which distributions register writers.
GROUP = "factmill.sinks"

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


def writer_names() -> list[str]:
    """Return the names of all formats, those of installed distributions last; imports none of them."""
    return [*WRITERS, *(name for name in plugin_names(GROUP) if name not in WRITERS)]


def find_writer(name: str) -> GraphWriter:
    """Return the writer of a format by its name.

    Raises:
        WriteError: there is no such format.
        PluginError: the writer of a distribution cannot be used.
    """
    plugin = load_plugin(GROUP, name, builtin=WRITERS)
    if plugin is None:
        if name not in WRITERS:
            raise WriteError(f"no format '{name}': use one of {', '.join(writer_names())}")
        return WRITERS[name]
    writer = plugin() if isinstance(plugin, type) and issubclass(plugin, GraphWriter) else plugin
    if not isinstance(writer, GraphWriter):
        raise wrong_plugin(GROUP, name, "a GraphWriter, or a class of them that takes no arguments", plugin)
    return writer
