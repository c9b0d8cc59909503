"""The two pipelines: from input files to the store of extractions, and from the store to the tables.

Extraction is expensive and merging is cheap, so everything that was extracted is kept on disk between them. Linking and
resolution find out from all documents what single entities denote; their results are updates, which are applied to
documents and extractions whenever a shard of the store is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec

from pipeline.beam.bucketed_group_by_key import buckets_for
from pipeline.beam.counters import CountBy, Counted, count_elements
from pipeline.beam.live_counts import LiveCounter
from pipeline.extraction.assign_shards import AssignShards
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
from pipeline.store.shard_updates import ShardUpdate
from pipeline.store.store import Store
from pipeline.store.store_transforms import ReadStore, RedirectUpdates
from schemas import (
    DeadLetter,
    Edge,
    Evidence,
    LinkedEntity,
    MergedNode,
    Node,
    Record,
    RelationSchema,
    Skipped,
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


class ExtractionPipeline(msgspec.Struct, frozen=True):
    """Reads input files and writes the shards of a store.

    Attributes:
        paths: input files.
        reading: how they are read.
        limit: number of documents to read at most, or None.
        languages: read only documents in these; none means any.
        source: where workers get the extractor from.
        batch_cost: word pieces and entity pairs of a batch at most; None takes what suits the device.
        shards: the store that changes and the folder of the new one, under paths that workers see.
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
        """Add the steps to a Beam pipeline: read, assign to shards, extract and write each shard, count."""
        register_coders()
        read = pipeline | "Read" >> ReadDocuments(
            self.paths, self.reading, self.limit, self.languages, LiveCounter(self.tallies, "read")
        )
        records = {
            "documents": read.documents,
            "removals": read.removals,
            "redirects": read.redirects,
            "dead letters": read.dead,
        }
        assigned = records | "Assign shards" >> AssignShards(self.shards)
        extract = ExtractFacts(
            self.source, self.shards, assigned["number"], self.batch_cost, LiveCounter(self.tallies, "extract")
        )
        counts = [
            assigned["groups"] | "Extract" >> extract,
            *(items | f"count {name}" >> count_elements("read", name) for name, items in records.items()),
            read.skipped | "count skipped" >> count_elements("read", "skipped"),
            read.skipped | "count skipped by reason" >> CountBy(_skipped),
        ]
        _write_counts(pipeline, self.counts, _summed(counts))


class MergePipeline(msgspec.Struct, frozen=True):
    """Reads a store and writes the tables.

    Attributes:
        store: the store, under a path that workers see.
        min_confidence: edges below are left out.
        schema: the relations of the edges, and their rules.
        correlation: correlation of documents that state the same edge; see `EdgeTally.edge`.
        link: whether entities are linked, where there is something to link to.
        resolve: whether nodes without a knowledge-base id are merged with nodes that denote the same thing.
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
        """Add the steps to a Beam pipeline: follow redirects, link, resolve, merge, write the tables, count."""
        register_coders()
        buckets = buckets_for(self.store.info.shards)
        redirects = pipeline | "Redirects" >> RedirectUpdates(self.store)
        linked = self._linked(redirects)
        resolved = self._resolved(linked["extracted"])
        updates = (redirects, linked["updates"], resolved["updates"])
        stored = updates | "Read store" >> ReadStore(self.store, LiveCounter(self.tallies, "merge"))
        merged = stored.extracted | "Merge" >> MergeGraph(self.min_confidence, self.schema, self.correlation, buckets)
        dead = (stored.dead, merged["dead"]) | "dead letters" >> beam.Flatten()
        tables = {
            **{name: merged[name] for name in ("nodes", "edges", "evidence", "documents")},
            "links": linked["links"],
            "merges": resolved["merges"],
            "dead_letters": dead,
        }
        counts = _summed(
            [
                linked["counts"],
                resolved["counts"],
                merged["counts"],
                merged["documents"] | "count documents by language" >> CountBy(_language),
                merged["documents"] | "count losses in reading" >> beam.FlatMap(_lost).with_output_types(Counted),
                dead | "count dead letters by reason" >> CountBy(_dead),
                *(rows | f"count rows of {name}" >> count_elements("rows", name) for name, rows in tables.items()),
            ]
        )
        written = LiveCounter(self.tallies, "write")
        for name, rows in tables.items():
            _ = rows | f"Write {name}" >> WriteTable(name, ROWS[name], counts, self.tables, written, buckets)
        _write_counts(pipeline, self.counts, counts)

    def _linked(self, redirects: Any) -> dict[str, Any]:
        """Return what `LinkEntities` does, or documents as they are if there is nothing to link."""
        if self.link and has_targets(self.store):
            linked: dict[str, Any] = redirects | "Link" >> LinkEntities(self.store, LiveCounter(self.tallies, "link"))
            return linked
        pipeline = redirects.pipeline
        if self.resolve:
            extracted = ((redirects,) | "Read store to resolve" >> ReadStore(self.store)).extracted
        else:
            extracted = pipeline | "nothing to resolve" >> beam.Create([])
        return {
            "extracted": extracted,
            "updates": pipeline | "no link updates" >> beam.Create([]).with_output_types(tuple[int, ShardUpdate]),
            "links": pipeline | "no links" >> beam.Create([]).with_output_types(LinkedEntity),
            "counts": pipeline | "no counts of links" >> beam.Create([]).with_output_types(Counted),
        }

    def _resolved(self, extracted: Any) -> dict[str, Any]:
        """Return what `ResolveEntities` does, or nothing if it is off."""
        if self.resolve:
            live = LiveCounter(self.tallies, "resolve")
            resolved: dict[str, Any] = extracted | "Resolve" >> ResolveEntities(
                self.store.info.shards, match_model(), live
            )
            return resolved
        pipeline = extracted.pipeline
        return {
            "updates": pipeline | "no node updates" >> beam.Create([]).with_output_types(tuple[int, ShardUpdate]),
            "merges": pipeline | "no merges" >> beam.Create([]).with_output_types(MergedNode),
            "counts": pipeline | "no counts of merges" >> beam.Create([]).with_output_types(Counted),
        }


def read_counts(path: Path) -> Counter[CountKey]:
    """Return what a pipeline counted."""
    return Counter({(stage, what): number for stage, what, number in json.loads(path.read_bytes())})


def write_counts(path: str, counts: Mapping[CountKey, int]) -> None:
    """Write what a pipeline counted; the file appears complete or not at all."""
    with replacing(Path(path)) as draft:
        draft.write_text(json.dumps([[*key, number] for key, number in sorted(counts.items())]), "utf-8")


def _summed(counts: list[Any]) -> beam.pvalue.AsDict:
    """Return the sum of each count as a side input."""
    return beam.pvalue.AsDict(
        counts | "counts" >> beam.Flatten() | "sum counts" >> beam.CombinePerKey(sum).with_output_types(Counted)
    )


def _write_counts(pipeline: Any, path: str, counts: beam.pvalue.AsDict) -> None:
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
