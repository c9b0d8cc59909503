"""A shuffle in which values pass one by one, each with what is known of its key.

One key may have any share of all values: edges to a large country, places where a common name stands. `Shuffle` would
hold them at one time; here a worker holds what is known of the keys of a bucket, and one block of values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.beam.shuffle import Key, Values, add_up, bucketed, unpack


@dataclass(eq=False)
class Lookup(beam.PTransform[Any, Any]):
    """PCollections of (key, value) and of (key, known) pairs to a (key, value, known or None) triple for every value.

    Attributes:
        buckets: parts into which the keys fall.
        kind: the type of a value.
        known: what there is to know of a key; it adds up.
    """

    buckets: int
    kind: Any
    known: Values

    def expand(self, inputs: tuple[Any, Any]) -> Any:
        """Apply to both in this order."""
        blocks = bucketed(inputs, self.buckets, (Values(self.kind), self.known))
        return blocks | "look up" >> beam.FlatMap(_looked_up, self.kind, self.known).with_output_types(tuple[Any, ...])


def _looked_up(
    bucket: tuple[int, Iterable[tuple[int, bytes]]], kind: Any, values: Values
) -> Iterator[tuple[Key, Any, Any]]:
    known: dict[Key, Any] = {}
    waiting = []
    for side, sent in bucket[1]:
        if side:
            add_up(unpack(sent, values.kind), known, values.add)
        else:
            waiting.append(sent)
    for sent in waiting:
        for key, value in unpack(sent, kind):
            yield key, value, known.get(key)
