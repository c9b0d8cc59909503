"""The graph as GraphML, which most graph programs read: Gephi, Cytoscape, yEd, igraph, networkx."""

from __future__ import annotations

import pyarrow as pa

from sinks.exchange.writer import EDGE_ATTRIBUTES, NODE_ATTRIBUTES, Columns, ExchangeWriter, xml
from sinks.tables.arrow_text import Pieces, json_lists

_TYPES = {"text": "string", "list": "string", "integer": "long", "real": "double", "boolean": "boolean"}


def _keys(target: str, attributes: dict[str, str]) -> str:
    return "".join(
        f'<key id="{target}.{name}" for="{target}" attr.name="{name}" attr.type="{_TYPES[kind]}"/>\n'
        for name, kind in attributes.items()
    )


class GraphMLWriter(ExchangeWriter):
    """Writes `graph.graphml`; lists are JSON strings."""

    name = "graphml"
    file = "graph.graphml"
    header = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        + _keys("node", NODE_ATTRIBUTES)
        + _keys("edge", EDGE_ATTRIBUTES)
        + '<graph id="graph" edgedefault="directed">\n'
    )
    middle = ""
    footer = "</graph>\n</graphml>\n"

    def node(self, columns: Columns) -> Pieces:
        """Return a `node` element with its `data`."""
        return ['<node id="', xml(columns["id"]), '">', *_data("node", columns, NODE_ATTRIBUTES), "</node>\n"]

    def edge(self, columns: Columns) -> Pieces:
        """Return an `edge` element with its `data`."""
        ends = ['" source="', xml(columns["head"]), '" target="', xml(columns["tail"]), '">']
        return ['<edge id="', xml(columns["id"]), *ends, *_data("edge", columns, EDGE_ATTRIBUTES), "</edge>\n"]


def _data(target: str, columns: Columns, attributes: dict[str, str]) -> Pieces:
    pieces: Pieces = []
    for name, kind in attributes.items():
        pieces += [f'<data key="{target}.{name}">', xml_value(columns[name], kind), "</data>"]
    return pieces


def xml_value(values: pa.Array, kind: str) -> pa.Array:
    """Return the values of an attribute as XML text."""
    if kind == "list":
        return xml(json_lists(values))
    return xml(values) if kind == "text" else values.cast(pa.string())
