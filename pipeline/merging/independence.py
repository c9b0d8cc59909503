"""Independence of documents: the findings about an edge are summed with near duplicates counted as one document.

A worker holds at most the signatures of the documents in one bucket of a band. The leader of a document is the first
one, by id, of its near duplicates, followed once more: groups depend on the documents only, not on their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.metrics.metric import Metrics

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.beam.bucketed_lookup import BucketedLookup
from pipeline.merging.findings import EdgeFinding, EdgeTally
from pipeline.merging.near_duplicates import are_similar, bands
from schemas import Edge, Record


class DocumentEdges(Record, frozen=True, array_like=True):
    """The edge findings of one document, and the signature of its text."""

    document: str
    signature: bytes
    edges: tuple[EdgeFinding, ...]


class EdgeSum(msgspec.Struct, array_like=True, gc=False):
    """The findings about an edge, summed by the leader of near duplicates; the empty name has all other documents."""

    head: str
    relation: str
    tail: str
    tallies: dict[str, EdgeTally]

    def merge(self, other: EdgeSum) -> EdgeSum:
        """Add the sum over other documents, and return this one."""
        for leader, tally in other.tallies.items():
            own = self.tallies.get(leader)
            if own is not None:
                tally = own.with_duplicate(tally) if leader else own.with_independent(tally)
            self.tallies[leader] = tally
        return self

    def edge(self, id: str, correlation: float) -> Edge:
        """Return the edge: near duplicates count once."""
        total = reduce(EdgeTally.with_independent, self.tallies.values())
        return total.edge(id, self.head, self.relation, self.tail, correlation)


class SumEdges(beam.PTransform[Any, Any]):
    """A PCollection of `DocumentEdges` to (edge id, `EdgeSum`) pairs."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.buckets = buckets

    def expand(self, documents: Any) -> Any:
        """Apply to a PCollection of `DocumentEdges`."""
        said = documents | "by document" >> beam.Map(lambda said: (said.document, said))
        leaders = documents | "near duplicates" >> NearDuplicates(self.buckets)
        sums = (
            (said, leaders)
            | "join leaders" >> BucketedGroupByKey(self.buckets, ValueType(DocumentEdges), ValueType(str, min))
            | "sums" >> beam.ParDo(_Sums())
        )
        return (sums,) | "sum" >> BucketedGroupByKey(self.buckets, ValueType(EdgeSum, EdgeSum.merge))


class NearDuplicates(beam.PTransform[Any, Any]):
    """A PCollection of `DocumentEdges` to (document, leader) pairs for every document that has near duplicates.

    The leader represents all of them, and is its own leader.
    """

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.buckets = buckets

    def expand(self, documents: Any) -> Any:
        """Apply to a PCollection of `DocumentEdges`."""
        pairs = (
            (documents | "bands" >> beam.FlatMap(_in_bands),)
            | "meet" >> BucketedGroupByKey(self.buckets, ValueType(tuple[str, bytes]))
            | "compare" >> beam.FlatMap(similar_in_band)
        )
        first = (pairs,) | "first" >> BucketedGroupByKey(self.buckets, ValueType(str, min))
        followers = first | "followers" >> beam.MapTuple(lambda document, leader: (leader, document))
        return (
            (followers, first)
            | "leaders" >> BucketedLookup(self.buckets, str, ValueType(str, min))
            | "follow" >> beam.Map(_follow)
        )


def similar_in_band(group: tuple[str | bytes, Iterable[tuple[str, bytes]]]) -> Iterator[tuple[str, str]]:
    """Yield (document, first document) for those that meet in a band and are near duplicates of the first there."""
    _, members = group
    leader, own = min(members)
    found = False
    for document, signature in members:
        if document != leader and are_similar(own, signature):
            found = True
            yield document, leader
    if found:
        yield leader, leader


class _Sums(beam.DoFn):
    """What each document says, by edge."""

    def __init__(self) -> None:
        self.duplicates = Metrics.counter("factmill.merge", "near_duplicates")

    def process(self, joined: tuple[str, list[DocumentEdges], str | None]) -> Iterator[tuple[str, EdgeSum]]:
        document, said, leader = joined
        if leader not in (None, document):
            self.duplicates.inc()
        for edge in (edge for edges in said for edge in edges.edges):
            tally = EdgeTally.of(edge.probability, edge.derived_from)
            yield edge.id, EdgeSum(edge.head, edge.relation, edge.tail, {leader or "": tally})


def _in_bands(said: DocumentEdges) -> list[tuple[str, tuple[str, bytes]]]:
    return [(band.hex(), (said.document, said.signature)) for band in bands(said.signature)]


def _follow(found: tuple[str, str, str | None]) -> tuple[str, str]:
    leader, follower, further = found
    return follower, further or leader
