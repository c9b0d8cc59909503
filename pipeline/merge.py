"""Merging: extractions of single documents to nodes, edges, evidence and documents of one graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline.apply_rules import CheckTypes, RankValues, SettleEdges
from pipeline.failures import dead_letter
from pipeline.independence import DocumentEdges, EdgeKey, Independent, SumTallies
from pipeline.merging import EdgeTally, NodeFinding, NodeTally, findings
from pipeline.near_duplicates import signature
from pipeline.rules import implied_relations
from schemas import DeadLetter, Document, Edge, Extraction, Node, Record, RelationSchema, encode


class DocumentRow(Record, frozen=True):
    """A row of the documents table."""

    id: str
    source: str
    title: str
    text: str
    tokens: int
    sentences: int
    entities: int
    facts: int
    metadata: tuple[tuple[str, str], ...]
    version: int


@dataclass(eq=False)
class Merge(beam.PTransform[Any, Any]):
    """Extractions to the graph: a dict of the PCollections nodes, edges, evidence, documents, dead, dropped and rules.

    Edges below `min_confidence`, and those that break an enforced rule, are dropped after all documents have been
    heard, and their evidence with them; their nodes stay, for they are entities of the corpus. `dropped` has a word for
    everything left out: facts (`self-loop`), edges and rows of evidence; `rules` one for everything that a rule of the
    schema derived or found wrong.

    Attributes:
        min_confidence: edges below are left out.
        schema: the relations and their rules.
        correlation: how far documents that state one edge depend on each other, from 0 to 1; see `EdgeTally.edge`.
    """

    min_confidence: float
    schema: RelationSchema
    correlation: float = 0.0

    def expand(self, extracted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (document, extraction)."""
        kinds: dict[str, Any] = {
            "nodes": tuple[str, NodeFinding],
            "edges": DocumentEdges,
            "evidence": tuple[str, bytes],
            "dead": DeadLetter,
            "dropped": str,
        }
        found = extracted | "findings" >> beam.ParDo(FindingsOf(self.schema)).with_output_types(
            DocumentRow, **kinds
        ).with_outputs(*kinds, main="documents")
        nodes = (
            found.nodes
            | "sum nodes" >> beam.CombinePerKey(SumNodes())  # type: ignore[no-untyped-call]
            | "nodes" >> beam.MapTuple(_node).with_output_types(Node)
        )
        edges = (
            found.edges
            | "independent" >> Independent()
            | "sum edges" >> beam.CombinePerKey(SumTallies())  # type: ignore[no-untyped-call]
            | "edges" >> beam.Map(_edge, self.correlation).with_output_types(Edge)
        )
        weak = edges | "weak" >> beam.FlatMap(_weak, self.min_confidence).with_output_types(str)
        kept = edges | "kept" >> beam.Filter(_sure, self.min_confidence).with_output_types(Edge)
        dropped: list[Any] = [found.dropped, weak]
        rules: list[Any] = []
        if self.schema.rules.types != "off":
            typed = {relation.id for relation in self.schema.relations if relation.expected_pairs}
            free = kept | "of any type" >> beam.Filter(_not_of, typed).with_output_types(Edge)
            kept = kept | "typed" >> beam.Filter(_of, typed).with_output_types(Edge)
            checked = {"edges": kept, "nodes": nodes} | "types" >> CheckTypes(self.schema)
            kept = (checked.edges, free) | "typed and others" >> beam.Flatten()
            dropped, rules = [*dropped, checked.dropped], [*rules, checked.rules]
        if self.schema.rules.functional != "off":
            functional = {relation.id for relation in self.schema.relations if relation.max_cardinality}
            free = kept | "of any number" >> beam.Filter(_not_of, functional).with_output_types(Edge)
            kept = kept | "functional" >> beam.Filter(_of, functional).with_output_types(Edge)
            ranked = kept | "rank" >> RankValues(self.schema)
            kept = (ranked.edges, free) | "functional and others" >> beam.Flatten()
            dropped, rules = [*dropped, ranked.dropped], [*rules, ranked.rules]
        settled = {"edges": kept, "evidence": found.evidence} | "settle edges" >> SettleEdges(self.schema)
        return {
            "nodes": nodes,
            "edges": settled.edges,
            "evidence": settled.evidence,
            "documents": found.documents,
            "dead": found.dead,
            "dropped": (*dropped, settled.dropped) | "dropped" >> beam.Flatten(),
            "rules": (*rules, settled.rules) | "rules" >> beam.Flatten(),
        }


class FindingsOf(beam.DoFn):
    """An extraction to its row of the documents table and its findings by tag."""

    def __init__(self, schema: RelationSchema) -> None:
        self.implied = implied_relations(schema, "enforce")
        self.nodes = Metrics.counter("factmill.merge", "node_findings")
        self.edges = Metrics.counter("factmill.merge", "edge_findings")

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield the document's row, and the findings by tag."""
        document, extraction = extracted
        try:
            found = findings(document, extraction, self.implied)
            said = DocumentEdges(document.id, signature(document) if found.edges else b"", found.edges)
        except Exception as error:
            letter = dead_letter(document.id, document.source, "merge", "document cannot be merged", error)
            yield beam.pvalue.TaggedOutput("dead", letter)
            return
        self.nodes.inc(len(found.nodes))
        self.edges.inc(len(found.edges))
        yield document_row(document, extraction)
        for node in found.nodes:
            yield beam.pvalue.TaggedOutput("nodes", (node.id, node))
        if said.edges:
            yield beam.pvalue.TaggedOutput("edges", said)
        for row in found.evidence:
            yield beam.pvalue.TaggedOutput("evidence", (row.edge, encode(row)))
        for _ in range(found.self_loops):
            yield beam.pvalue.TaggedOutput("dropped", "self-loop")


class SumNodes(beam.CombineFn):
    """Adds up node findings."""

    def create_accumulator(self) -> NodeTally:
        """Return an empty sum."""
        return NodeTally()

    def add_input(self, tally: NodeTally, finding: NodeFinding) -> NodeTally:
        """Return the sum with one more finding."""
        tally.add(finding)
        return tally

    def merge_accumulators(self, tallies: Iterable[NodeTally]) -> NodeTally:
        """Return the sum of sums."""
        merged = NodeTally()
        for tally in tallies:
            merged.merge(tally)
        return merged

    def extract_output(self, tally: NodeTally) -> NodeTally:
        """Return the sum."""
        return tally


def document_row(document: Document, extraction: Extraction) -> DocumentRow:
    """Return the row of a document in the documents table."""
    return DocumentRow(
        id=document.id,
        source=document.source,
        title=document.title,
        text=document.text,
        tokens=len(document.tokens),
        sentences=len(document.sentences),
        entities=len(extraction.entities),
        facts=len(extraction.facts),
        metadata=document.metadata,
        version=document.version,
    )


def _node(id: str, tally: NodeTally) -> Node:
    return tally.node(id)


def _edge(summed: tuple[EdgeKey, EdgeTally], correlation: float) -> Edge:
    key, tally = summed
    return tally.edge(*key, correlation)


def _sure(edge: Edge, min_confidence: float) -> bool:
    return edge.confidence >= min_confidence


def _weak(edge: Edge, min_confidence: float) -> list[str]:
    return [] if _sure(edge, min_confidence) else ["edge below the confidence cut"]


def _of(edge: Edge, relations: Collection[str]) -> bool:
    return edge.relation in relations


def _not_of(edge: Edge, relations: Collection[str]) -> bool:
    return edge.relation not in relations
