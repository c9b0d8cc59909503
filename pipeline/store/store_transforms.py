"""Reading a store in Beam: documents with their extractions, with updates from other documents applied.

What is found out over many documents (the target of a redirect, the link or node of an entity) is an update of a shard.
A shard is read from disk with its updates by every step that needs its documents; documents are never shuffled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType, buckets_for
from pipeline.beam.live_counts import LiveCounter
from pipeline.store.redirects import RedirectsByShard, ResolveRedirects
from pipeline.store.shard_updates import REDIRECT as REDIRECTED
from pipeline.store.shard_updates import ShardUpdate, ShardUpdates
from pipeline.store.store import DOCUMENT, FAILED, REDIRECT, UNREAD, Store, read_links, read_shard
from schemas import DeadLetter, Document, Extraction, Redirect, decode


@dataclass(eq=False)
class RedirectUpdates(beam.PTransform[Any, Any]):
    """A pipeline to (shard, update) pairs: each shard gets the redirects of its links."""

    store: Store

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline."""
        if not self.store.info.redirects:
            return pipeline | "no redirects" >> beam.Create([]).with_output_types(tuple[int, ShardUpdate])
        numbers = pipeline | "numbers" >> ShardNumbers(self.store)
        links = numbers | "links" >> beam.FlatMap(_links, self.store).with_output_types(tuple[str, int])
        redirects = pipeline | "resolved" >> ResolvedRedirects(self.store)
        return (
            (links, redirects)
            | "redirected" >> RedirectsByShard(buckets_for(self.store.info.shards))
            | "update" >> beam.Map(_update).with_output_types(tuple[int, ShardUpdate])
        )


@dataclass(eq=False)
class ResolvedRedirects(beam.PTransform[Any, Any]):
    """A pipeline to (alias, final target) pairs, one for each redirect."""

    store: Store

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline."""
        numbers = pipeline | "numbers" >> ShardNumbers(self.store)
        redirects = numbers | "redirects" >> beam.FlatMap(_redirects, self.store).with_output_types(tuple[str, str])
        return redirects | "resolve" >> ResolveRedirects(buckets_for(self.store.info.shards))


@dataclass(eq=False)
class ReadStore(beam.PTransform[Any, Any]):
    """PCollections of (shard, update) pairs to `extracted`, (document, extraction) pairs with the updates applied, and
    `dead`, all dead letters.

    Every shard is read, also without updates.

    Attributes:
        store: where the shards are.
        tally: counts documents for the display of progress.
    """

    store: Store
    tally: LiveCounter | None = None

    def expand(self, updates: tuple[Any, ...]) -> Any:
        """Apply to a tuple of PCollections."""
        shards = self.store.info.shards
        return (
            ((updates[0].pipeline | "every shard" >> EveryShard(self.store), *updates),)
            | "updates by shard" >> BucketedGroupByKey(shards, ValueType(ShardUpdate))
            | "read"
            >> beam.ParDo(ReadShard(self.store, self.tally))
            .with_output_types(tuple[Document, Extraction], dead=DeadLetter)
            .with_outputs("dead", main="extracted")
        )


@dataclass(eq=False)
class EveryShard(beam.PTransform[Any, Any]):
    """A pipeline to one (shard, update) pair for each shard, without effect: a join with others then has all shards."""

    store: Store

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline."""
        updates = [(number, ShardUpdate("", "", "")) for number in range(self.store.info.shards)]
        return pipeline | "update" >> beam.Create(updates, reshuffle=False)


@dataclass(eq=False)
class ShardNumbers(beam.PTransform[Any, Any]):
    """A pipeline to the numbers of a store's shards, spread over the workers."""

    store: Store

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline."""
        numbers = pipeline | "number" >> beam.Create(range(self.store.info.shards), reshuffle=False).with_output_types(
            int
        )
        return numbers | "spread" >> beam.Reshuffle()


class ReadShard(beam.DoFn):
    """A shard with its updates to its documents, extractions and dead letters."""

    def __init__(self, store: Store, tally: LiveCounter | None = None) -> None:
        self.store = store
        self.tally = tally

    def process(self, group: tuple[int, Iterable[ShardUpdate]]) -> Iterator[Any]:
        """Yield documents with their extractions, and dead letters by their tag."""
        number, updates = group
        for item in read_updated_shard(self.store, number, updates):
            if isinstance(item, DeadLetter):
                yield beam.pvalue.TaggedOutput("dead", item)
                continue
            yield item
            if self.tally:
                self.tally.add(done=1)

    def finish_bundle(self) -> None:
        """Write the live counts."""
        if self.tally:
            self.tally.flush()


def read_updated_shard(
    store: Store, number: int, updates: Iterable[ShardUpdate]
) -> Iterator[tuple[Document, Extraction] | DeadLetter]:
    """Yield the content of a shard with updates applied."""
    updated = ShardUpdates.of(updates)
    for row in read_shard(store.path(number), (DOCUMENT, FAILED, UNREAD)):
        if row.kind == DOCUMENT:
            yield updated.apply(decode(row.record, Document), decode(row.found, Extraction), row.links)
        else:
            yield decode(row.found or row.record, DeadLetter)


def _links(number: int, store: Store) -> Iterator[tuple[str, int]]:
    return ((id, number) for id in sorted(read_links(store.path(number))))


def _redirects(number: int, store: Store) -> Iterator[tuple[str, str]]:
    for row in read_shard(store.path(number), (REDIRECT,)):
        yield row.id, decode(row.record, Redirect).target


def _update(redirected: tuple[int, tuple[str, str]]) -> tuple[int, ShardUpdate]:
    shard, (alias, target) = redirected
    return shard, ShardUpdate(kind=REDIRECTED, key=alias, value=target)
