"""Formats in which graph programs exchange graphs: nodes, then edges, each with its columns as attributes.

Files are written in a stream with constant memory, unlike with networkx, which needs the whole graph. Attributes are
numbers or strings; lists are JSON where a format has no lists of its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from schemas import TABLES, RelationSchema
from sinks.split_output import SplitOutput
from sinks.tables.arrow_text import Pieces, concat, flags, replaced, replaced_by
from sinks.tables.evidence import edges_with_evidence
from sinks.tables.tables import GraphTables
from sinks.writer import GraphWriter, relation_of

_KINDS = {pa.string(): "text", pa.int32(): "integer", pa.float64(): "real", pa.bool_(): "boolean"}
_IDS = {"id", "head", "tail"}


def _attributes(table: str) -> dict[str, str]:
    return {field.name: _KINDS.get(field.type, "list") for field in TABLES[table] if field.name not in _IDS}


# Attributes other than ids, with their kinds.
NODE_ATTRIBUTES = _attributes("nodes")
EDGE_ATTRIBUTES = {"label": "text", **_attributes("edges"), "documents": "list", "evidence": "list"}

_ROWS = 16_384
_MARKUP = flags(lambda byte: byte < 0x20 or byte == 0xEF or chr(byte) in '&<>"\\')
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}

# Columns by name: ids and attributes as in the tables.
Columns = Mapping[str, pa.Array]


class ExchangeWriter(GraphWriter):
    """Writes a file that consists of a header, a text per node, a middle, a text per edge, and a footer.

    Attributes:
        header, middle, footer: the text before, between and after nodes and edges.
        separator: the beginning of every text except the first node and the first edge.
    """

    header: str
    middle: str
    footer: str
    separator: str = ""

    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write nodes and edges in the order of the tables."""
        counts = {"nodes": 0, "edges": 0}
        with SplitOutput(draft, self.file, header=self.header, separator=self.separator) as out:
            for batch in tables.batches("nodes", rows=_ROWS):
                out.write(concat(self.node(dict(zip(batch.schema.names, batch.columns, strict=True))), len(batch)))
                counts["nodes"] += len(batch)
            out.interrupt(self.middle)
            for table in edges_with_evidence(tables, _ROWS):
                columns = {name: table[name].combine_chunks() for name in table.column_names}
                used = columns["relation"].unique()
                labels = pa.array([relation_of(schema, id).label for id in used.to_pylist()], pa.string())
                columns["label"] = labels.take(pc.index_in(columns["relation"], value_set=used))
                out.write(concat(self.edge(columns), len(table)))
                counts["edges"] += len(table)
            out.interrupt(self.footer)
        return counts

    @abstractmethod
    def node(self, columns: Columns) -> Pieces:
        """Return one text per node."""

    @abstractmethod
    def edge(self, columns: Columns) -> Pieces:
        """Return one text per edge."""


def xml(texts: pa.Array) -> pa.Array:
    r"""Return texts escaped for XML elements and attributes, so that any parser restores them.

    Characters that XML 1.0 cannot hold, such as NUL, become `\u0000`; a backslash before a `u` becomes `\u005C`, so
    that the escapes are unambiguous.
    """
    return replaced(texts, _MARKUP, _to_xml)


def _to_xml(texts: pa.Array) -> pa.Array:
    texts = pc.replace_substring(texts, "\\u", "\\u005Cu")
    for character, reference in _REFERENCES.items():
        texts = pc.replace_substring(texts, character, reference)
    return replaced_by(texts, "[\x00-\x1f\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04X}")
