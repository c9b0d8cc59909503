"""The graph as RDF 1.2 in N-Quads, written in one pass with constant memory.

Lines come in a fixed order: relations by IRI, then documents, nodes and edges by id; so equal tables give equal bytes
and a small change of the graph is a small difference of the files. Everything stands in the default graph: SPARQL
needs no GRAPH clause, and whatever reads N-Triples 1.2 reads the file too. `docs/tables.md` lists the vocabulary.
"""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import RelationSchema
from sinks.evidence import edges_with_evidence
from sinks.iris import VOCABULARY, has_prefix, knowledge_base_iris, own_iris
from sinks.tables import GraphTables
from sinks.writer import GraphWriter, relation_of

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCTERMS = "http://purl.org/dc/terms/"
PROV = "http://www.w3.org/ns/prov#"

# Rows that are turned into lines at once: few enough for the caches, enough to make Python's share vanish.
_ROWS = 16_384
_SPECIAL = r'[\x00-\x1f"\\\x7f]'
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


# The pieces of one or more lines for every row: arrays with a piece per row, or texts that are the same in all rows.
_Pieces = list[pa.Array | str]


class RdfWriter(GraphWriter):
    """Writes `graph.nq`: plain edges, names, types, and an RDF 1.2 reifier with confidence and origin for each edge."""

    name = "rdf"
    file = "graph.nq"

    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the lines section by section."""
        counts = {"nodes": 0, "edges": 0, "quads": 0}
        with draft.open("wb") as file:
            counts["quads"] += _write(_relations(schema), file)
            for batch in tables.batches("documents", ("id", "source", "title"), _ROWS):
                counts["quads"] += _write(_documents(batch), file)
            for batch in tables.batches("nodes", rows=_ROWS):
                counts["nodes"] += len(batch)
                counts["quads"] += _write(_nodes(batch), file)
            for table in edges_with_evidence(tables, _ROWS):
                counts["edges"] += len(table)
                counts["quads"] += _write(_edges(table, schema), file)
        return counts


def literals(values: pa.Array) -> pa.Array:
    """Return every text as a quoted literal; quotes, backslashes and control characters are escaped."""
    if pc.any(pc.match_substring_regex(values, _SPECIAL)).as_py():
        for character, escape in _ESCAPES.items():
            values = pc.replace_substring(values, character, escape)
        control = pc.match_substring_regex(values, _CONTROL)
        if pc.any(control).as_py():
            escaped = [
                re.sub(_CONTROL, lambda match: f"\\u{ord(match[0]):04X}", value)
                for value in values.filter(control).to_pylist()
            ]
            values = pc.replace_with_mask(values, control, pa.array(escaped, pa.string()))
    return pc.binary_join_element_wise('"', values, '"', "")


def _relations(schema: RelationSchema) -> pa.Array:
    relations = sorted(schema.relations, key=lambda relation: relation.iri)
    iris = pa.array([f"<{relation.iri}>" for relation in relations])
    return _joined(_line(iris, f"<{RDFS}label>", literals(pa.array([relation.label for relation in relations]))))


def _documents(batch: pa.RecordBatch) -> pa.Array:
    ids = batch.column("id")
    iris = own_iris("document", ids)
    page = _joined(_line(iris, f"<{RDFS}seeAlso>", knowledge_base_iris(ids)))
    return _joined(
        _line(iris, f"<{RDF}type>", f"<{VOCABULARY}Document>"),
        _line(iris, f"<{DCTERMS}title>", literals(batch.column("title"))),
        _line(iris, f"<{DCTERMS}source>", literals(batch.column("source"))),
        [pc.if_else(has_prefix(ids, "wiki", "pubmed"), page, "")],
    )


def _nodes(batch: pa.RecordBatch) -> pa.Array:
    iris = own_iris("node", batch.column("id"))
    names, aliases, kb_ids = (batch.column(column) for column in ("name", "aliases", "kb_ids"))
    alias, owner = aliases.flatten(), pc.list_parent_indices(aliases)
    other = pc.not_equal(alias, names.take(owner))
    return _joined(
        _line(iris, f"<{RDF}type>", own_iris("type", batch.column("type"))),
        _line(iris, f"<{RDFS}label>", literals(names)),
        _lines(iris, f"<{SKOS}altLabel>", literals(alias.filter(other)), owner.filter(other)),
        _lines(iris, f"<{SKOS}exactMatch>", knowledge_base_iris(kb_ids.flatten()), pc.list_parent_indices(kb_ids)),
        _line(iris, f"<{VOCABULARY}support>", _numbers(batch.column("support"), "integer")),
        _line(iris, f"<{VOCABULARY}mentions>", _numbers(batch.column("mentions"), "integer")),
    )


def _edges(table: pa.Table, schema: RelationSchema) -> pa.Array:
    column = {name: table[name].combine_chunks() for name in table.column_names}
    used = column["relation"].unique()
    iris = pa.array([f"<{relation_of(schema, id).iri}>" for id in used.to_pylist()], pa.string())
    relations = iris.take(pc.index_in(column["relation"], value_set=used))
    triple = pc.binary_join_element_wise(
        own_iris("node", column["head"]), relations, own_iris("node", column["tail"]), " "
    )
    edges = own_iris("edge", column["id"])
    rows = pc.list_parent_indices(column["documents"])
    sources, quotes = (_distinct(column[name].flatten(), rows) for name in ("documents", "evidence"))
    return _joined(
        [triple, " .\n"],
        [edges, f" <{RDF}reifies> <<( ", triple, " )>> .\n"],
        _line(edges, f"<{VOCABULARY}confidence>", _numbers(column["confidence"], "double")),
        _line(edges, f"<{VOCABULARY}support>", _numbers(column["support"], "integer")),
        _lines(edges, f"<{PROV}wasDerivedFrom>", own_iris("document", sources[0]), sources[1]),
        _lines(edges, f"<{VOCABULARY}evidence>", literals(quotes[0]), quotes[1]),
    )


def _distinct(values: pa.Array, rows: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the values and their rows without those that came before in the same row."""
    coded = values.dictionary_encode()
    keys = rows.to_numpy() * len(values) + coded.indices.to_numpy()
    first = pa.array(np.sort(np.unique(keys, return_index=True)[1]))
    return values.take(first), rows.take(first)


def _numbers(values: pa.Array, datatype: str) -> pa.Array:
    return pc.binary_join_element_wise('"', values.cast(pa.string()), f'"^^<{XSD}{datatype}>', "")


def _line(subjects: pa.Array, predicate: str, objects: pa.Array | str) -> _Pieces:
    return [subjects, f" {predicate} ", objects, " .\n"]


def _lines(subjects: pa.Array, predicate: str, objects: pa.Array, rows: pa.Array) -> _Pieces:
    """Return one piece per subject that holds a line for each of its objects; `rows` says whose they are, ascending."""
    lines = _joined(_line(subjects.take(rows), predicate, objects))
    counts = np.bincount(rows.to_numpy(), minlength=len(subjects))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return [pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), lines), "")]


def _joined(*pieces: _Pieces) -> pa.Array:
    return pc.binary_join_element_wise(*chain.from_iterable(pieces), "")


def _write(blocks: pa.Array, file: BinaryIO) -> int:
    """Write an array of texts one after the other as it lies in memory; return the number of lines."""
    _, offsets, data = blocks.buffers()
    if not len(blocks) or data is None:
        return 0
    first, last = np.frombuffer(offsets, np.int32)[[blocks.offset, blocks.offset + len(blocks)]]
    text = memoryview(data)[first:last]
    file.write(text)
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))
