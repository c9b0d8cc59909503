"""Assign what readers found to the shards of a store, whose number follows from the size of all documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, PackBlocks, ValueType, unpack_blocks
from pipeline.extraction.extract import Shards
from pipeline.store.reconcile import Incoming
from pipeline.store.store import shard_of
from schemas import Document, Redirect, encode

# The name of a record's type, and its bytes: a PCollection of records of different types would be pickled.
EncodedRecord = tuple[str, bytes]


@dataclass(eq=False)
class AssignShards(beam.PTransform[Any, Any]):
    """A mapping of PCollections of records to `groups`, one (shard, encoded records) pair for each shard, and `number`,
    the number of shards as a side input.

    Every shard has a group; one without records has an empty one.
    """

    shards: Shards

    def expand(self, records: Mapping[str, Any]) -> dict[str, Any]:
        """Apply to PCollections of documents, removals, redirects and dead letters."""
        encoded = [
            items | f"encode {name}" >> beam.Map(keyed).with_output_types(tuple[str, EncodedRecord])
            for name, items in records.items()
        ]
        pipeline = encoded[0].pipeline
        keyed_records = encoded | "all records" >> beam.Flatten()
        size = keyed_records | "sizes" >> beam.Map(_size) | "size" >> beam.CombineGlobally(sum).without_defaults()
        number = beam.pvalue.AsSingleton(
            pipeline
            | "once" >> beam.Create([None])
            | "number of shards" >> beam.Map(_number, self.shards, beam.pvalue.AsSingleton(size, default_value=0))
        )
        assigned = (
            # In blocks, because all records wait here until their total size is known.
            keyed_records
            | "blocks" >> PackBlocks(1, ValueType(EncodedRecord))
            | "assign" >> beam.FlatMap(_assign, number).with_output_types(tuple[int, EncodedRecord]),
            pipeline
            | "once more" >> beam.Create([None])
            | "every shard" >> beam.FlatMap(_every_shard, number).with_output_types(tuple[int, EncodedRecord]),
        )
        groups = (assigned,) | "group by shard" >> BucketedGroupByKey(1, ValueType(EncodedRecord))
        return {"groups": groups, "number": number}


def keyed(record: Incoming) -> tuple[str, EncodedRecord]:
    """Return an encoded record under the id whose hash selects its shard."""
    if isinstance(record, Document):
        id = record.id
    else:
        id = record.alias if isinstance(record, Redirect) else record.document_id
    return id, (type(record).__name__, encode(record))


def _size(pair: tuple[str, EncodedRecord]) -> int:
    kind, data = pair[1]
    return len(data) if kind == Document.__name__ else 0


def _number(_: None, shards: Shards, size: int) -> int:
    return shards.of(size)


def _assign(packed: tuple[int, tuple[int, bytes]], number: int) -> Iterator[tuple[int, EncodedRecord]]:
    _, (_, block) = packed
    return ((shard_of(str(id), number), record) for id, record in unpack_blocks(block, EncodedRecord))


def _every_shard(_: None, number: int) -> Iterator[tuple[int, EncodedRecord]]:
    return ((shard, ("", b"")) for shard in range(number))
