"""Merging: extractions of single documents to nodes, edges, evidence and documents of one graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline.failures import dead_letter
from pipeline.merging import EdgeTally, NodeFinding, NodeTally, findings
from schemas import DeadLetter, Document, Edge, Evidence, Extraction, Node, Record, decode, encode

EdgeKey = tuple[str, str, str, str]


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
    """Extractions to the graph: a dict of the PCollections nodes, edges, evidence, documents, dead and dropped.

    Edges below `min_confidence` are dropped after all documents have been heard, and their evidence with them; their
    nodes stay, for they are entities of the corpus. `dropped` has a word for everything left out: `self-loop` for a
    fact, `edge below the confidence cut` and `evidence below the confidence cut` for rows.
    """

    min_confidence: float

    def expand(self, extracted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (document, extraction)."""
        kinds: dict[str, Any] = {
            "nodes": tuple[str, NodeFinding],
            "edges": tuple[EdgeKey, float],
            "evidence": tuple[str, bytes],
            "dead": DeadLetter,
            "dropped": str,
        }
        found = extracted | "findings" >> beam.ParDo(FindingsOf()).with_output_types(DocumentRow, **kinds).with_outputs(
            *kinds, main="documents"
        )
        nodes = (
            found.nodes
            | "sum nodes" >> beam.CombinePerKey(SumNodes())  # type: ignore[no-untyped-call]
            | "nodes" >> beam.MapTuple(_node).with_output_types(Node)
        )
        edges = (
            found.edges
            | "sum edges" >> beam.CombinePerKey(SumEdges())  # type: ignore[no-untyped-call]
            | "edges" >> beam.MapTuple(_edge).with_output_types(Edge)
        )
        # Edge ids are joined with the evidence, so that evidence of a dropped edge goes too.
        kept = edges | "kept" >> beam.Filter(_sure, self.min_confidence).with_output_types(Edge)
        evidence = (
            {"edge": kept | "kept ids" >> beam.Map(_kept), "evidence": found.evidence}
            | "join edges" >> beam.CoGroupByKey()
            | "evidence"
            >> beam.FlatMap(_evidence).with_output_types(Evidence, dropped=str).with_outputs("dropped", main="evidence")
        )
        weak = edges | "weak" >> beam.FlatMap(_weak, self.min_confidence).with_output_types(str)
        return {
            "nodes": nodes,
            "edges": kept,
            "evidence": evidence.evidence,
            "documents": found.documents,
            "dead": found.dead,
            "dropped": (found.dropped, weak, evidence.dropped) | "dropped" >> beam.Flatten(),
        }


class FindingsOf(beam.DoFn):
    """An extraction to its row of the documents table and its findings by tag."""

    def __init__(self) -> None:
        self.nodes = Metrics.counter("factmill.merge", "node_findings")
        self.edges = Metrics.counter("factmill.merge", "edge_findings")

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield the document's row, and the findings by tag."""
        document, extraction = extracted
        try:
            found = findings(document, extraction)
        except Exception as error:
            letter = dead_letter(document.id, document.source, "merge", "document cannot be merged", error)
            yield beam.pvalue.TaggedOutput("dead", letter)
            return
        self.nodes.inc(len(found.nodes))
        self.edges.inc(len(found.edges))
        yield document_row(document, extraction)
        for node in found.nodes:
            yield beam.pvalue.TaggedOutput("nodes", (node.id, node))
        for edge in found.edges:
            key = (edge.id, edge.head, edge.relation, edge.tail)
            yield beam.pvalue.TaggedOutput("edges", (key, edge.probability))
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


class SumEdges(beam.CombineFn):
    """Adds up the probabilities of edge findings."""

    def create_accumulator(self) -> EdgeTally:
        """Return an empty sum."""
        return EdgeTally()

    def add_input(self, tally: EdgeTally, probability: float) -> EdgeTally:
        """Return the sum with one more finding."""
        tally.add(probability)
        return tally

    def merge_accumulators(self, tallies: Iterable[EdgeTally]) -> EdgeTally:
        """Return the sum of sums."""
        merged = EdgeTally()
        for tally in tallies:
            merged.merge(tally)
        return merged

    def extract_output(self, tally: EdgeTally) -> EdgeTally:
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


def _edge(key: EdgeKey, tally: EdgeTally) -> Edge:
    return tally.edge(*key)


def _sure(edge: Edge, min_confidence: float) -> bool:
    return edge.confidence >= min_confidence


def _weak(edge: Edge, min_confidence: float) -> list[str]:
    return [] if _sure(edge, min_confidence) else ["edge below the confidence cut"]


def _kept(edge: Edge) -> tuple[str, bytes]:
    return edge.id, b""


def _evidence(group: tuple[str, Mapping[str, Iterable[bytes]]]) -> Iterator[Any]:
    _, joined = group
    kept = any(True for _ in joined["edge"])
    for row in joined["evidence"]:
        yield (
            decode(row, Evidence) if kept else beam.pvalue.TaggedOutput("dropped", "evidence below the confidence cut")
        )
