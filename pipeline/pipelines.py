"""The two pipelines: from input files to the store of extractions, and from the store to the tables.

Between them lies everything that was extracted, on disk. Whatever links or resolves entities over documents stands
before `Merge`: it reads what `Open` gives and gives notes, with which the next `Open` reads the same shards again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, PackBlocks, ValueType, buckets_for, unpack_blocks
from pipeline.beam.counters import CountBy, Counted, count_elements
from pipeline.beam.live_counts import LiveCounter
from pipeline.extraction.extract import ExtractFacts, Shards
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.languages import language_of
from pipeline.linking.link import LinkEntities, has_targets
from pipeline.merging.merge import DocumentRow, MergeGraph
from pipeline.merging.write_tables import WriteTable
from pipeline.read_documents import ReadDocuments
from pipeline.reading import Reading
from pipeline.record_counts import LOST_IN_READING, CountKey
from pipeline.record_types import register_coders
from pipeline.resolution.matching import match_model
from pipeline.resolution.resolve import ResolveEntities
from pipeline.store.reconcile import Incoming
from pipeline.store.store import Store, shard_of
from pipeline.store.store_transforms import ReadStore, RedirectUpdates
from schemas import (
    DeadLetter,
    Document,
    Edge,
    Evidence,
    LinkedEntity,
    MergedNode,
    Node,
    Record,
    Redirect,
    RelationSchema,
    Skipped,
    encode,
)
from schemas.atomic_files import replacing

ROWS: dict[str, type[Record]] = {
    "nodes": Node,
    "edges": Edge,
    "evidence": Evidence,
    "documents": DocumentRow,
    "links": LinkedEntity,
    "merges": MergedNode,
    "dead_letters": DeadLetter,
}
# What a shard is given: its kind, and itself as bytes, since a PCollection of different types would be pickled.
_Inside = tuple[str, bytes]


class ExtractionPipeline(msgspec.Struct, frozen=True):
    """From input files to the shards of a store.

    Attributes:
        paths: input files.
        reading: how they are read.
        limit: at most so many documents, or None.
        languages: only documents in these; none means any.
        source: where workers get the extractor from.
        batch_cost: pieces and pairs of a batch at most; None: what suits where the extractor runs.
        shards: which store changes and where the new one goes; workers see both under these paths.
        counts: file for the counts.
        tallies: folder of the live counts.
    """

    paths: tuple[str, ...]
    reading: Reading
    limit: int | None
    languages: tuple[str, ...]
    source: ExtractorSource
    batch_cost: int | None
    shards: Shards
    counts: str
    tallies: str

    def construct(self, pipeline: beam.Pipeline) -> None:
        """Add the flow to a Beam pipeline."""
        register_coders()
        read = pipeline | "Read" >> ReadDocuments(
            self.paths, self.reading, self.limit, self.languages, LiveCounter(self.tallies, "read")
        )
        kinds = {"documents": read.documents, "removals": read.removals, "redirects": read.redirects, "dead": read.dead}
        given = (
            tuple(
                items | f"give {name}" >> beam.Map(keyed).with_output_types(tuple[str, _Inside])
                for name, items in kinds.items()
            )
            | "all given" >> beam.Flatten()
        )
        size = given | "sizes" >> beam.Map(_size) | "size" >> beam.CombineGlobally(sum).without_defaults()
        of = beam.pvalue.AsSingleton(
            pipeline
            | "one" >> beam.Create([None])
            | "how many" >> beam.Map(_of, self.shards, beam.pvalue.AsSingleton(size, default_value=0))
        )
        placed = (
            # In blocks, because all that is given waits here until it is known how much it is.
            given
            | "wait" >> PackBlocks(1, ValueType(_Inside))
            | "place" >> beam.FlatMap(_placed, of).with_output_types(tuple[int, _Inside]),
            pipeline
            | "every" >> beam.Create([None])
            | "shard" >> beam.FlatMap(_every, of).with_output_types(tuple[int, _Inside]),
        )
        counts = (
            (placed,)
            | "by shard" >> BucketedGroupByKey(1, ValueType(_Inside))
            | "Extract"
            >> ExtractFacts(self.source, self.shards, of, self.batch_cost, LiveCounter(self.tallies, "extract"))
        )
        entries = [
            counts,
            read.documents | "count documents" >> count_elements("read", "documents"),
            read.removals | "count removals" >> count_elements("read", "removals"),
            read.redirects | "count redirects" >> count_elements("read", "redirects"),
            read.dead | "count dead" >> count_elements("read", "dead letters"),
            read.skipped | "count skipped" >> count_elements("read", "skipped"),
            read.skipped | "count skipped by reason" >> CountBy(_skipped),
        ]
        _write(pipeline, self.counts, _summed(entries))


class MergePipeline(msgspec.Struct, frozen=True):
    """From a store to the tables.

    Attributes:
        store: the store; workers see it under this path.
        min_confidence: edges below are left out.
        schema: the relations of the edges, and their rules.
        correlation: how far documents that state one edge depend on each other.
        link: whether entities are linked, where there is something to link to.
        resolve: whether nodes without a knowledge-base id are joined with nodes that they are one with.
        tables: folder for the tables.
        counts: file for the counts.
        tallies: folder of the live counts.
    """

    store: Store
    min_confidence: float
    schema: RelationSchema
    correlation: float
    link: bool
    resolve: bool
    tables: str
    counts: str
    tallies: str

    def construct(self, pipeline: beam.Pipeline) -> None:
        """Add the flow to a Beam pipeline."""
        register_coders()
        buckets = buckets_for(self.store.info.shards)
        redirects = pipeline | "Redirects" >> RedirectUpdates(self.store)
        notes: tuple[Any, ...] = (redirects,)
        told: Any = None
        entries = []
        links: Any
        if self.link and has_targets(self.store):
            linked = redirects | "Link" >> LinkEntities(self.store, LiveCounter(self.tallies, "link"))
            notes += (linked["notes"],)
            links, told = linked["links"], linked["extracted"]
            entries.append(linked["counts"])
        else:
            links = pipeline | "no links" >> beam.Create([]).with_output_types(LinkedEntity)
        merges: Any
        if self.resolve:
            told = told or (notes | "Told" >> ReadStore(self.store)).extracted
            resolved = told | "Resolve" >> ResolveEntities(
                self.store.info.shards, match_model(), LiveCounter(self.tallies, "resolve")
            )
            notes += (resolved["notes"],)
            merges = resolved["merges"]
            entries.append(resolved["counts"])
        else:
            merges = pipeline | "no merges" >> beam.Create([]).with_output_types(MergedNode)
        stored = notes | "Stored" >> ReadStore(self.store, LiveCounter(self.tallies, "merge"))
        merged = stored.extracted | "Merge" >> MergeGraph(self.min_confidence, self.schema, self.correlation, buckets)
        dead = (stored.dead, merged["dead"]) | "dead letters" >> beam.Flatten()
        tables = {
            **{name: merged[name] for name in ("nodes", "edges", "evidence", "documents")},
            "links": links,
            "merges": merges,
            "dead_letters": dead,
        }
        entries += [
            dead | "count dead by reason" >> CountBy(_dead),
            merged["counts"],
            merged["documents"] | "count documents by language" >> CountBy(_language),
            merged["documents"] | "count what was lost" >> beam.FlatMap(_lost).with_output_types(Counted),
            *(rows | f"count rows of {name}" >> count_elements("rows", name) for name, rows in tables.items()),
        ]
        counts = _summed(entries)
        tally = LiveCounter(self.tallies, "write")
        for name, rows in tables.items():
            _ = rows | f"Write {name}" >> WriteTable(name, ROWS[name], counts, self.tables, tally, buckets)
        _write(pipeline, self.counts, counts)


def read_counts(path: Path) -> Counter[CountKey]:
    """Return what a pipeline counted."""
    return Counter({(stage, what): number for stage, what, number in json.loads(path.read_bytes())})


def write_counts(path: str, counts: Mapping[CountKey, int]) -> None:
    """Write what a pipeline counted, complete or not at all."""
    with replacing(Path(path)) as draft:
        draft.write_text(json.dumps([[*entry, number] for entry, number in sorted(counts.items())]), "utf-8")


def keyed(item: Incoming) -> tuple[str, _Inside]:
    """Return what a reader gave with its kind, under the id that tells its shard."""
    id = item.id if isinstance(item, Document) else item.alias if isinstance(item, Redirect) else item.document_id
    return id, (type(item).__name__, encode(item))


def _size(given: tuple[str, _Inside]) -> int:
    kind, data = given[1]
    return len(data) if kind == Document.__name__ else 0


def _of(_: None, shards: Shards, size: int) -> int:
    return shards.of(size)


def _placed(sent: tuple[int, tuple[int, bytes]], of: int) -> Iterator[tuple[int, _Inside]]:
    _, (_, block) = sent
    return ((shard_of(str(id), of), given) for id, given in unpack_blocks(block, _Inside))


def _every(_: None, of: int) -> Iterator[tuple[int, _Inside]]:
    return ((number, ("", b"")) for number in range(of))


def _summed(entries: list[Any]) -> beam.pvalue.AsDict:
    return beam.pvalue.AsDict(
        entries | "entries" >> beam.Flatten() | "count" >> beam.CombinePerKey(sum).with_output_types(Counted)
    )


def _write(pipeline: Any, path: str, counts: beam.pvalue.AsDict) -> None:
    _ = pipeline | "counts file" >> beam.Create([path]) | "write counts" >> beam.Map(write_counts, counts)


def _lost(row: DocumentRow) -> Iterator[Counted]:
    for what, number in row.metadata:
        if what in LOST_IN_READING and number.isdecimal():
            yield ("lost", what), int(number)


def _language(row: DocumentRow) -> CountKey:
    return "languages", language_of(row.metadata)


def _skipped(skipped: Skipped) -> CountKey:
    return "skipped", skipped.reason


def _dead(letter: DeadLetter) -> CountKey:
    return "dead letters", f"{letter.stage}: {letter.reason}"
