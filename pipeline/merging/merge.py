"""Merging extractions of single documents into the nodes, edges, evidence and documents of one graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.beam.counters import count_values
from pipeline.dead_letters import dead_letter
from pipeline.merging.apply_rules import DropUnsupportedEdges, FilterEdgesByRules
from pipeline.merging.findings import NodeTally, findings
from pipeline.merging.independence import DocumentEdges, EdgeSum, SumEdges
from pipeline.merging.near_duplicates import signature
from pipeline.merging.rule_semantics import implied_relations
from schemas import DeadLetter, Document, Edge, Evidence, Extraction, Node, Record, RelationSchema


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
class MergeGraph(beam.PTransform[Any, Any]):
    """Extractions to the graph: a dict of the PCollections nodes, edges, evidence, documents, dead and counts.

    Edges below `min_confidence`, and those that violate an enforced rule, are dropped with their evidence after all
    documents were added; their nodes stay, because they are entities of the corpus. The counts contain everything that
    is left out (`dropped`: facts, edges and rows of evidence) and the findings of rules (`rules`).

    Attributes:
        min_confidence: edges below are left out.
        schema: the relations and their rules.
        correlation: how far documents that state one edge depend on each other, from 0 to 1; see `EdgeTally.edge`.
        buckets: parts into which the graph falls on the way; see `pipeline.beam.bucketed_group_by_key`.
    """

    min_confidence: float
    schema: RelationSchema
    correlation: float = 0.0
    buckets: int = 1

    def expand(self, extracted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (document, extraction)."""
        kinds: dict[str, Any] = {
            "nodes": tuple[str, NodeTally],
            "edges": DocumentEdges,
            "evidence": tuple[str, Evidence],
            "dead": DeadLetter,
            "dropped": str,
        }
        found = extracted | "findings" >> beam.ParDo(FindingsOf(self.schema)).with_output_types(
            DocumentRow, **kinds
        ).with_outputs(*kinds, main="documents")
        nodes = (
            (found.nodes,)
            | "sum nodes" >> BucketedGroupByKey(self.buckets, ValueType(NodeTally, NodeTally.merge))
            | "nodes" >> beam.MapTuple(_node).with_output_types(Node)
        )
        edges = (
            found.edges
            | "sum edges" >> SumEdges(self.buckets)
            | "edges"
            >> beam.FlatMap(_edge, self.correlation, self.min_confidence)
            .with_output_types(Edge, dropped=str)
            .with_outputs("dropped", main="kept")
        )
        filtered = (edges.kept, nodes) | "filter edges" >> FilterEdgesByRules(self.schema, self.buckets)
        supported = (filtered["edges"], found.evidence) | "drop unsupported edges" >> DropUnsupportedEdges(
            self.schema, self.buckets
        )
        return {
            "nodes": nodes,
            "edges": supported.edges,
            "evidence": supported.evidence,
            "documents": found.documents,
            "dead": found.dead,
            "counts": (
                (found.dropped, edges.dropped, filtered["dropped"], supported.dropped)
                | "dropped" >> count_values("dropped"),
                (filtered["rules"], supported.rules) | "rules" >> count_values("rules"),
            )
            | "counts" >> beam.Flatten(),
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
            edges = DocumentEdges(document.id, signature(document) if found.edges else b"", found.edges)
        except Exception as error:
            letter = dead_letter(document.id, document.source, "merge", "document cannot be merged", error)
            yield beam.pvalue.TaggedOutput("dead", letter)
        else:
            self.nodes.inc(len(found.nodes))
            self.edges.inc(len(found.edges))
            yield document_row(document, extraction)
            for node in found.nodes:
                tally = NodeTally()
                tally.add(node)
                yield beam.pvalue.TaggedOutput("nodes", (node.id, tally))
            if edges.edges:
                yield beam.pvalue.TaggedOutput("edges", edges)
            for row in found.evidence:
                yield beam.pvalue.TaggedOutput("evidence", (row.edge, row))
            for _ in range(found.self_loops):
                yield beam.pvalue.TaggedOutput("dropped", "self-loop")


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


def _edge(summed: tuple[str, EdgeSum], correlation: float, min_confidence: float) -> Iterator[Any]:
    id, total = summed
    edge = total.edge(id, correlation)
    if edge.confidence >= min_confidence:
        yield edge
    else:
        yield beam.pvalue.TaggedOutput("dropped", "edge below the confidence cut")
