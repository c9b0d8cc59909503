"""Arrow schemas of the output tables: the public contract, described in `docs/reference/tables.md`.

Every table is sorted by the columns in `SORT_KEYS`, so equal graphs are equal bytes.
"""

from __future__ import annotations

import pyarrow as pa

_SPANS = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))
_FEATURES = pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))

NODES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("aliases", pa.list_(pa.string()), nullable=False),
        pa.field("kb_ids", pa.list_(pa.string()), nullable=False),
        pa.field("support", pa.int32(), nullable=False),
        pa.field("mentions", pa.int32(), nullable=False),
    ]
)

EDGES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("head", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("tail", pa.string(), nullable=False),
        pa.field("confidence", pa.float64(), nullable=False),
        pa.field("support", pa.int32(), nullable=False),
        pa.field("independent", pa.int32(), nullable=False),
        pa.field("derived_from", pa.list_(pa.string()), nullable=False),
        pa.field("conflict", pa.bool_(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
    ]
)

EVIDENCE = pa.schema(
    [
        pa.field("edge", pa.string(), nullable=False),
        pa.field("document", pa.string(), nullable=False),
        pa.field("sentence", pa.int32(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("head_spans", _SPANS, nullable=False),
        pa.field("tail_spans", _SPANS, nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
    ]
)

DOCUMENTS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("tokens", pa.int32(), nullable=False),
        pa.field("sentences", pa.int32(), nullable=False),
        pa.field("entities", pa.int32(), nullable=False),
        pa.field("facts", pa.int32(), nullable=False),
        pa.field("metadata", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
    ]
)

MERGES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("node", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("support", pa.int32(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("features", _FEATURES, nullable=False),
        pa.field("documents", pa.list_(pa.string()), nullable=False),
    ]
)

LINKS = pa.schema(
    [
        pa.field("document", pa.string(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("features", _FEATURES, nullable=False),
        pa.field("others", pa.list_(pa.struct([("id", pa.string()), ("probability", pa.float64())])), nullable=False),
    ]
)

DEAD_LETTERS = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "nodes": NODES,
    "edges": EDGES,
    "evidence": EVIDENCE,
    "documents": DOCUMENTS,
    "links": LINKS,
    "merges": MERGES,
    "dead_letters": DEAD_LETTERS,
}

SORT_KEYS: dict[str, tuple[str, ...]] = {
    "nodes": ("id",),
    "edges": ("id",),
    "evidence": ("edge", "document", "sentence"),
    "documents": ("id",),
    "links": ("target", "document", "start", "end"),
    "merges": ("id",),
    "dead_letters": ("document_id", "source", "stage", "reason", "detail"),
}
