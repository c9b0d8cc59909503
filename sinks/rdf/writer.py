"""The graph as RDF: any syntax, RDF 1.2 or 1.1, in one pass over the tables with constant memory.

Statements come in a fixed order: the schema, then documents, nodes, edges and evidence as in the tables; so equal
tables give equal bytes and a small change of the graph is a small difference of the files. `docs/reference/rdf.md`
lists the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import RelationSchema
from sinks.rdf.iris import claim_iris, encoded, has_prefix, knowledge_base_iris
from sinks.rdf.syntax import SYNTAXES, Block, Statement, Syntax, brief, count
from sinks.split_output import COMPRESSIONS, SplitOutput
from sinks.tables.arrow_text import concat, taken
from sinks.tables.evidence import checked_evidence
from sinks.tables.tables import GraphTables
from sinks.writer import GraphWriter, relation_of

SUFFIXES = {"nquads": "nq", "trig": "trig", "turtle": "ttl", "ntriples": "nt", "jsonld": "jsonld"}
VERSIONS = ("1.2", "1.1")

# Rows that are turned into text in one step: enough to make Python's overhead negligible, and few enough for texts
# below 32 MB, the largest blocks that the C library keeps.
_ROWS = 8_192


class RdfWriter(GraphWriter):
    """Writes the graph with names, types, plain edges, and for each edge a statement with confidence and origin.

    Args:
        syntax: `nquads`, `ntriples`, `turtle`, `trig` or `jsonld`.
        version: `1.2` makes the statement of an edge a reifier of a triple term, `1.1` a node as in Wikidata; None
            takes 1.2 where the syntax has it.
        parts: write a folder with this many files instead of one file.
        compression: `gzip`, `zstd` or None.

    Raises:
        ValueError: there is no such syntax, version or compression, or the syntax does not have the version.
    """

    def __init__(
        self,
        syntax: str = "nquads",
        version: str | None = None,
        parts: int | None = None,
        compression: str | None = None,
    ) -> None:
        version = version or ("1.1" if syntax == "jsonld" else "1.2")
        if syntax not in SYNTAXES or version not in VERSIONS or compression not in {None, *COMPRESSIONS}:
            raise ValueError(
                f"no RDF in {syntax} {version} with compression {compression}: take one of {', '.join(SYNTAXES)}, "
                f"{' or '.join(VERSIONS)}, and {' or '.join(COMPRESSIONS)}"
            )
        if (syntax, version) == ("jsonld", "1.2"):
            raise ValueError("JSON-LD has no triple terms of RDF 1.2: take --rdf 1.1, or another syntax")
        self.name = "rdf" if syntax == "nquads" else syntax
        self.file = f"graph.{SUFFIXES[syntax]}{COMPRESSIONS.get(compression or '', '')}"
        self.syntax = syntax
        self.version = version
        self.parts = parts
        self.compression = compression

    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the statements section by section."""
        syntax = SYNTAXES[self.syntax]()
        rows = {name: tables.count(name) for name in ("documents", "nodes", "edges", "evidence")}
        counts = {"nodes": rows["nodes"], "edges": rows["edges"], "triples": 0}
        sections = _Sections(syntax, self.version, schema)
        with SplitOutput(
            draft,
            self.file,
            self.parts,
            sum(rows.values()),
            self.compression,
            header=syntax.header,
            footer=syntax.footer,
            separator=syntax.separator,
        ) as out:
            for blocks, size in sections.of(tables):
                out.write(syntax.spell(blocks, size))
                counts["triples"] += count(blocks, size)
        return counts


class _Sections:
    """The sections of the graph as blocks of statements in a syntax."""

    def __init__(self, syntax: Syntax, version: str, schema: RelationSchema) -> None:
        self._syntax = syntax
        self._reified = version == "1.2"
        self._schema = schema
        # The edge and the document of the last row of evidence.
        self._last: tuple[str, str] | None = None

    def of(self, tables: GraphTables) -> Iterator[tuple[list[Block], int]]:
        """Yield blocks with their number of rows."""
        yield self._relations(), len(self._schema.relations)
        types = sorted({*self._schema.entity_types, *_types(tables)})
        yield self._types(pa.array(types, pa.string())), len(types)
        columns = ("id", "source", "title", "tokens", "sentences", "entities", "facts", "metadata", "version")
        for batch in tables.batches("documents", columns, _ROWS):
            yield self._documents(batch), len(batch)
        for batch in tables.batches("nodes", rows=_ROWS):
            yield self._nodes(batch), len(batch)
        for batch in tables.batches("edges", rows=_ROWS):
            yield self._edges(batch), len(batch)
        for batch in checked_evidence(tables, _ROWS):
            yield self._evidence(batch), len(batch)

    def _relations(self) -> list[Block]:
        syntax, relations = self._syntax, sorted(self._schema.relations, key=lambda relation: relation.iri)
        iris = pa.array([relation.iri for relation in relations], pa.string())
        described = [(row, each.description) for row, each in enumerate(relations) if each.description]
        rows, texts = ([pair[side] for pair in described] for side in (0, 1))
        statements = [
            Statement("rdf:type", [syntax.word("rdf:Property")], link=True),
            Statement("rdfs:label", syntax.text(pa.array([each.label for each in relations], pa.string()))),
            Statement("rdfs:comment", syntax.text(pa.array(texts, pa.string())), pa.array(rows, pa.int64())),
        ]
        blocks = [Block(syntax.iris(iris), statements)]
        if not self._reified:
            # How Wikidata connects the three properties of a relation.
            entity, claim, value = zip(*map(claim_iris, relations), strict=True)
            blocks.append(
                Block(
                    syntax.iris(pa.array(entity, pa.string())),
                    [
                        Statement("wikibase:directClaim", syntax.iris(iris), link=True),
                        Statement("wikibase:claim", syntax.iris(pa.array(claim, pa.string())), link=True),
                        Statement("wikibase:statementProperty", syntax.iris(pa.array(value, pa.string())), link=True),
                    ],
                )
            )
        return blocks

    def _types(self, types: pa.Array) -> list[Block]:
        syntax = self._syntax
        statements = [
            Statement("rdf:type", [syntax.word("rdfs:Class")], link=True),
            Statement("rdfs:subClassOf", [syntax.word("fm:Entity")], link=True),
            Statement("rdfs:label", syntax.text(types)),
        ]
        return [Block(syntax.named("type", encoded(types)), statements)]

    def _documents(self, batch: pa.RecordBatch) -> list[Block]:
        syntax, ids = self._syntax, batch.column("id")
        subjects = syntax.named("document", encoded(ids))
        public = pc.indices_nonzero(pc.or_(has_prefix(ids, "wiki"), has_prefix(ids, "pubmed"))).cast(pa.int64())
        statements = [
            Statement("rdf:type", [syntax.word("fm:Document")], link=True),
            Statement("dcterms:title", syntax.text(batch.column("title"))),
            Statement("dcterms:source", syntax.text(batch.column("source"))),
            Statement("rdfs:seeAlso", syntax.iris(knowledge_base_iris(ids.take(public))), public, link=True),
            *(self._number(f"fm:{name}", batch.column(name)) for name in ("tokens", "sentences", "entities", "facts")),
            self._number("fm:version", batch.column("version")),
        ]
        metadata = batch.column("metadata")
        pairs, rows = metadata.flatten(), pc.list_parent_indices(metadata)
        keys, values = pairs.field("key"), pairs.field("value")
        first = _first(rows, keys, values)
        keys, values, rows = keys.take(first), values.take(first), rows.take(first)
        property = Statement(syntax.named("metadata", encoded(keys)), syntax.text(values))
        return [Block(subjects, statements), Block(taken(subjects, rows), [property], rows)]

    def _nodes(self, batch: pa.RecordBatch) -> list[Block]:
        syntax, names = self._syntax, batch.column("name")
        aliases, kb_ids = batch.column("aliases"), batch.column("kb_ids")
        alias, owner = aliases.flatten(), pc.list_parent_indices(aliases)
        other = pc.not_equal(alias, names.take(owner))
        entries, rows = knowledge_base_iris(kb_ids.flatten()), pc.list_parent_indices(kb_ids)
        first = _first(rows, entries)
        statements = [
            Statement("rdf:type", syntax.named("type", encoded(batch.column("type"))), link=True),
            Statement("rdfs:label", syntax.text(names)),
            Statement("skos:altLabel", syntax.text(alias.filter(other)), owner.filter(other)),
            Statement("skos:exactMatch", syntax.iris(entries.take(first)), rows.take(first), link=True),
            self._number("fm:support", batch.column("support")),
            self._number("fm:mentions", batch.column("mentions")),
        ]
        return [Block(syntax.named("node", encoded(batch.column("id"))), statements)]

    def _edges(self, batch: pa.RecordBatch) -> list[Block]:
        syntax, column = self._syntax, batch.column
        used = column("relation").unique()
        relations = [relation_of(self._schema, id) for id in used.to_pylist()]
        position = pc.index_in(column("relation"), value_set=used)
        plain = brief(syntax, [relation.iri for relation in relations]).take(position)
        head, tail, edge = (syntax.named(kind, encoded(column(name))) for kind, name in _ENDS)
        facts = [self._number(f"fm:{name}", column(name), kind) for name, kind in _QUALITIES.items()]
        sources = column("derived_from")
        rules = syntax.named("edge", encoded(sources.flatten()))
        facts.append(Statement("fm:derivedFrom", rules, pc.list_parent_indices(sources), link=True))
        if self._reified:
            reified = Statement("rdf:reifies", syntax.triple(head, [plain], tail))
            return [Block(head, [Statement([plain], tail, link=True)]), Block(edge, [reified, *facts])]
        claims, values = (
            brief(syntax, [claim_iris(relation)[part] for relation in relations]).take(position) for part in (1, 2)
        )
        return [
            Block(head, [Statement([plain], tail, link=True), Statement([claims], edge, link=True)]),
            Block(
                edge,
                [
                    Statement("rdf:type", [syntax.word("wikibase:Statement")], link=True),
                    Statement([values], tail, link=True),
                    *facts,
                ],
            ),
        ]

    def _evidence(self, batch: pa.RecordBatch) -> list[Block]:
        syntax, column = self._syntax, batch.column
        edges, documents = encoded(column("edge")), encoded(column("document"))
        sentences = column("sentence").cast(pa.string())
        edge, document = syntax.named("edge", edges), syntax.named("document", documents)
        evidence = syntax.named("evidence", concat([edges, "/", documents, "/", sentences], len(batch)))
        first = self._first_of_document(batch)
        statements = [
            Statement("nif:anchorOf", syntax.text(column("text"))),
            Statement("nif:referenceContext", document, link=True),
            self._number("nif:beginIndex", column("start")),
            self._number("nif:endIndex", column("end")),
            self._number("fm:sentence", column("sentence")),
            self._number("fm:probability", column("probability"), "double"),
            self._spans("fm:head", documents, column("head_spans")),
            self._spans("fm:tail", documents, column("tail_spans")),
        ]
        return [
            Block(edge, [Statement("fm:evidence", evidence, link=True)]),
            Block(taken(edge, first), [Statement("prov:wasDerivedFrom", taken(document, first), link=True)], first),
            Block(evidence, statements),
        ]

    def _spans(self, predicate: str, documents: pa.Array, spans: pa.Array) -> Statement:
        ends, rows = spans.flatten(), pc.list_parent_indices(spans)
        start, end = (ends.field(name).cast(pa.string()) for name in ("start", "end"))
        parts = concat([documents.take(rows), "#char=", start, ",", end], len(rows))
        return Statement(predicate, self._syntax.named("document", parts), rows, link=True)

    def _number(self, predicate: str, values: pa.Array, datatype: str = "integer") -> Statement:
        return Statement(predicate, self._syntax.number(values, datatype))

    def _first_of_document(self, evidence: pa.RecordBatch) -> pa.Array:
        """Return the rows that are the first of their edge and document; rows of the same pair are adjacent."""
        edges, documents = evidence.column("edge"), evidence.column("document")
        other = pc.or_(pc.not_equal(edges[1:], edges[:-1]), pc.not_equal(documents[1:], documents[:-1]))
        begins = self._last != (edges[0].as_py(), documents[0].as_py())
        self._last = (edges[-1].as_py(), documents[-1].as_py())
        return pa.array(np.flatnonzero(np.concatenate([[begins], np.asarray(other)])))


# Columns with properties of an edge, and their types in XML Schema.
_QUALITIES = {
    "confidence": "double",
    "support": "integer",
    "independent": "integer",
    "conflict": "boolean",
    "rank": "integer",
}
_ENDS = (("node", "head"), ("node", "tail"), ("edge", "id"))


def _types(tables: GraphTables) -> set[str]:
    return {type for batch in tables.batches("nodes", ("type",)) for type in batch.column("type").unique().to_pylist()}


def _first(rows: pa.Array, *values: pa.Array) -> pa.Array:
    """Return the positions of values that did not occur before in the same row."""
    keys = rows.to_numpy().astype(np.int64)
    for column in values:
        codes = column.dictionary_encode().indices.to_numpy()
        keys = np.unique(keys, return_inverse=True)[1] * (len(column) + 1) + codes
    return pa.array(np.sort(np.unique(keys, return_index=True)[1]))
