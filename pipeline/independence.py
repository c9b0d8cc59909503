"""Independence: what documents say about an edge, near duplicates of one text counted as one document.

No worker holds more than the signatures of documents that meet in one band. Each document follows the first, by id,
among its near duplicates, and that one's own: groups depend on the documents alone, not on their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline.merging import EdgeFinding, EdgeTally
from pipeline.near_duplicates import are_similar, bands
from schemas import Record, decode, encode

# Id, head node, relation, tail node.
EdgeKey = tuple[str, str, str, str]


class DocumentEdges(Record, frozen=True):
    """All that one document says about edges, and the signature of its text."""

    document: str
    signature: bytes
    edges: tuple[EdgeFinding, ...]


class Independent(beam.PTransform[Any, Any]):
    """A PCollection of `DocumentEdges` to (edge key, tally) pairs whose documents are independent of each other."""

    def expand(self, documents: Any) -> Any:
        """Apply to a PCollection of `DocumentEdges`."""
        leaders = documents | "near duplicates" >> NearDuplicates()
        said = documents | "by document" >> beam.Map(_by_document).with_output_types(tuple[str, bytes])
        tallies = (
            {"said": said, "leader": leaders | "leader" >> beam.Map(_as_bytes).with_output_types(tuple[str, bytes])}
            | "join leaders" >> beam.CoGroupByKey()
            | "tallies"
            >> beam.ParDo(_Tallies())
            .with_output_types(tuple[EdgeKey, EdgeTally], grouped=tuple[tuple[str, EdgeKey], EdgeTally])
            .with_outputs("grouped", main="single")
        )
        once = (
            tallies.grouped
            | "once a group" >> beam.CombinePerKey(SumTallies(duplicates=True))  # type: ignore[no-untyped-call]
            | "no group" >> beam.MapTuple(_without_group).with_output_types(tuple[EdgeKey, EdgeTally])
        )
        return (tallies.single, once) | "all" >> beam.Flatten()


class NearDuplicates(beam.PTransform[Any, Any]):
    """A PCollection of `DocumentEdges` to (document, leader) pairs for every document that has near duplicates.

    The leader stands for all of them; it leads itself.
    """

    def expand(self, documents: Any) -> Any:
        """Apply to a PCollection of `DocumentEdges`."""
        first = (
            documents
            | "bands" >> beam.FlatMap(_in_bands).with_output_types(tuple[bytes, tuple[str, bytes]])
            | "meet" >> beam.GroupByKey()
            | "compare" >> beam.FlatMap(similar_in_band).with_output_types(tuple[str, str])
            | "first" >> beam.CombinePerKey(min).with_output_types(tuple[str, str])
        )
        return (
            {"followers": first | "followers" >> beam.Map(_swap).with_output_types(tuple[str, str]), "leader": first}
            | "join" >> beam.CoGroupByKey()
            | "follow" >> beam.FlatMap(_follow).with_output_types(tuple[str, str])
        )


class SumTallies(beam.CombineFn):
    """Adds up tallies of one edge, over independent documents or over near duplicates."""

    def __init__(self, duplicates: bool = False) -> None:
        self.duplicates = duplicates

    def create_accumulator(self) -> list[EdgeTally]:
        """Return an empty sum."""
        return []

    def add_input(self, total: list[EdgeTally], tally: EdgeTally) -> list[EdgeTally]:
        """Return the sum with one more tally."""
        if not total:
            return [tally]
        return [total[0].with_duplicate(tally) if self.duplicates else total[0].with_independent(tally)]

    def merge_accumulators(self, totals: Iterable[list[EdgeTally]]) -> list[EdgeTally]:
        """Return the sum of sums."""
        merged: list[EdgeTally] = []
        for total in totals:
            for tally in total:
                merged = self.add_input(merged, tally)
        return merged

    def extract_output(self, total: list[EdgeTally]) -> EdgeTally:
        """Return the sum; Beam asks only for keys that have an input."""
        return total[0]


def similar_in_band(group: tuple[bytes, Iterable[tuple[str, bytes]]]) -> Iterator[tuple[str, str]]:
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


class _Tallies(beam.DoFn):
    """What each document says, by edge, and for documents with near duplicates by group and edge."""

    def __init__(self) -> None:
        self.duplicates = Metrics.counter("factmill.merge", "near_duplicates")

    def process(self, joined: tuple[str, Mapping[str, Iterable[bytes]]]) -> Iterator[Any]:
        document, parts = joined
        leader = next((leader.decode("utf-8", "surrogatepass") for leader in parts["leader"]), None)
        self.duplicates.inc(leader not in (None, document))
        for data in parts["said"]:
            for edge in decode(data, DocumentEdges).edges:
                key = (edge.id, edge.head, edge.relation, edge.tail)
                tally = EdgeTally.of(edge.probability, edge.derived_from)
                yield (key, tally) if leader is None else beam.pvalue.TaggedOutput("grouped", ((leader, key), tally))


def _by_document(said: DocumentEdges) -> tuple[str, bytes]:
    return said.document, encode(said)


def _in_bands(said: DocumentEdges) -> list[tuple[bytes, tuple[str, bytes]]]:
    return [(band, (said.document, said.signature)) for band in bands(said.signature)]


def _as_bytes(pair: tuple[str, str]) -> tuple[str, bytes]:
    return pair[0], pair[1].encode("utf-8", "surrogatepass")


def _swap(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[1], pair[0]


def _follow(group: tuple[str, Mapping[str, Iterable[str]]]) -> Iterator[tuple[str, str]]:
    leader, joined = group
    further = next(iter(joined["leader"]), leader)
    for follower in joined["followers"]:
        yield follower, further


def _without_group(key: tuple[str, EdgeKey], tally: EdgeTally) -> tuple[EdgeKey, EdgeTally]:
    return key[1], tally
