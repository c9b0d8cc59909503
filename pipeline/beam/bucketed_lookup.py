"""A join in which the values of a key are streamed, each with the combined value of its key.

One key may have any share of all values: edges to a large country, mentions of a common name. `BucketedGroupByKey`
would hold all of them; here a worker holds the combined values of the keys of a bucket, and one block of streamed
values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.beam.bucketed_group_by_key import Key, ValueType, combine_values, group_into_buckets, unpack_blocks


@dataclass(eq=False)
class BucketedLookup(beam.PTransform[Any, Any]):
    """PCollections of (key, value) and of (key, known) pairs to (key, value, known or None) for every value.

    Attributes:
        buckets: number of buckets of keys.
        kind: the type of the streamed values.
        known: the type of the values that are combined for each key.
    """

    buckets: int
    kind: Any
    known: ValueType

    def expand(self, inputs: tuple[Any, Any]) -> Any:
        """Apply to both in this order."""
        blocks = group_into_buckets(inputs, self.buckets, (ValueType(self.kind), self.known))
        return blocks | "look up" >> beam.FlatMap(_looked_up, self.kind, self.known).with_output_types(tuple[Any, ...])


def _looked_up(
    bucket: tuple[int, Iterable[tuple[int, bytes]]], kind: Any, values: ValueType
) -> Iterator[tuple[Key, Any, Any]]:
    known: dict[Key, Any] = {}
    waiting = []
    for side, sent in bucket[1]:
        if side:
            combine_values(unpack_blocks(sent, values.kind), known, values.add)
        else:
            waiting.append(sent)
    for sent in waiting:
        for key, value in unpack_blocks(sent, kind):
            yield key, value, known.get(key)
