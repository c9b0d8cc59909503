"""The graph as GEXF 1.2, the format of Gephi: names are labels, the confidence of an edge is its weight."""

from __future__ import annotations

import pyarrow as pa

from sinks.exchange.graphml import xml_value
from sinks.exchange.writer import EDGE_ATTRIBUTES, NODE_ATTRIBUTES, Columns, ExchangeWriter, xml
from sinks.tables.arrow_text import Pieces

_TYPES = {"text": "string", "list": "string", "integer": "integer", "real": "double", "boolean": "boolean"}


def _declared(target: str, attributes: dict[str, str]) -> str:
    rows = "".join(
        f'<attribute id="{name}" title="{name}" type="{_TYPES[kind]}"/>\n' for name, kind in attributes.items()
    )
    return f'<attributes class="{target}" mode="static">\n{rows}</attributes>\n'


class GexfWriter(ExchangeWriter):
    """Writes `graph.gexf`; lists are JSON strings."""

    name = "gexf"
    file = "graph.gexf"
    header = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n'
        + '<graph mode="static" defaultedgetype="directed">\n'
        + _declared("node", NODE_ATTRIBUTES)
        + _declared("edge", EDGE_ATTRIBUTES)
        + "<nodes>\n"
    )
    middle = "</nodes>\n<edges>\n"
    footer = "</edges>\n</graph>\n</gexf>\n"

    def node(self, columns: Columns) -> Pieces:
        """Return a `node` element with its attributes."""
        begin: Pieces = ['<node id="', xml(columns["id"]), '" label="', xml(columns["name"]), '">']
        return [*begin, *_values(columns, NODE_ATTRIBUTES), "</node>\n"]

    def edge(self, columns: Columns) -> Pieces:
        """Return an `edge` element with its attributes."""
        begin: Pieces = ['<edge id="', xml(columns["id"]), '" source="', xml(columns["head"])]
        begin += ['" target="', xml(columns["tail"]), '" label="', xml(columns["label"])]
        begin += ['" weight="', columns["confidence"].cast(pa.string()), '">']
        return [*begin, *_values(columns, EDGE_ATTRIBUTES), "</edge>\n"]


def _values(columns: Columns, attributes: dict[str, str]) -> Pieces:
    pieces: Pieces = ["<attvalues>"]
    for name, kind in attributes.items():
        pieces += [f'<attvalue for="{name}" value="', xml_value(columns[name], kind), '"/>']
    return [*pieces, "</attvalues>"]
