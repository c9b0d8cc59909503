"""The graph as node-link JSON, which networkx and JavaScript libraries read."""

from __future__ import annotations

import pyarrow as pa

from sinks.exchange.writer import EDGE_ATTRIBUTES, NODE_ATTRIBUTES, Columns, ExchangeWriter
from sinks.tables.arrow_text import Pieces, escaped, json_lists


class NodeLinkWriter(ExchangeWriter):
    """Writes `graph.json` as `networkx.node_link_graph` takes it, one node or edge per line."""

    name = "node-link"
    file = "graph.json"
    header = '{"directed": true, "multigraph": true, "graph": {}, "nodes": [\n'
    middle = '\n], "edges": [\n'
    footer = "\n]}\n"
    separator = ",\n"

    def node(self, columns: Columns) -> Pieces:
        """Return an object with `id` and the attributes."""
        return [*_texts(columns, id="id"), *_values(columns, NODE_ATTRIBUTES)]

    def edge(self, columns: Columns) -> Pieces:
        """Return an object with `source`, `target`, `key` and the attributes."""
        return [*_texts(columns, source="head", target="tail", key="id"), *_values(columns, EDGE_ATTRIBUTES)]


def _texts(columns: Columns, **names: str) -> Pieces:
    pieces: Pieces = [",\n{"]
    for number, (name, column) in enumerate(names.items()):
        pieces += [", " if number else "", f'"{name}": "', escaped(columns[column]), '"']
    return pieces


def _values(columns: Columns, attributes: dict[str, str]) -> Pieces:
    pieces: Pieces = []
    for name, kind in attributes.items():
        values = columns[name]
        match kind:
            case "text":
                value: Pieces = ['"', escaped(values), '"']
            case "list":
                value = [json_lists(values)]
            case _:
                value = [values.cast(pa.string())]
        pieces += [f', "{name}": ', *value]
    return [*pieces, "}"]
