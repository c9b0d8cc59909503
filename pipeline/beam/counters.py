"""Counts of elements of a pipeline, for the report.

Counts are data of the pipeline and not Beam metrics, so a bundle that runs twice counts once. They are summed within a
bundle, because an output for every element would take longer than the step itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from pipeline.record_counts import CountKey

Counted = tuple[CountKey, int]


@dataclass(eq=False)
class CountBy(beam.PTransform[Any, Any]):
    """PCollections to (key, number) pairs, several for a key.

    Attributes:
        entry: returns the key under which an element is counted.
    """

    entry: Callable[[Any], CountKey]

    def expand(self, inputs: Any) -> Any:
        """Apply to a PCollection, or a tuple of several."""
        if not isinstance(inputs, tuple):
            return inputs | beam.ParDo(_Count(self.entry)).with_output_types(Counted)
        return [
            elements | f"of {number}" >> CountBy(self.entry) for number, elements in enumerate(inputs)
        ] | beam.Flatten()


def count_elements(stage: str, what: str) -> CountBy:
    """Return a transform that counts elements under one key."""
    return CountBy(lambda _: (stage, what))


def count_values(stage: str) -> CountBy:
    """Return a transform that counts equal texts."""
    return CountBy(lambda value: (stage, value))


class _Count(beam.DoFn):
    def __init__(self, entry: Callable[[Any], CountKey]) -> None:
        self.entry = entry

    def start_bundle(self) -> None:
        self.counts: Counter[CountKey] = Counter()

    def process(self, element: Any) -> None:
        self.counts[self.entry(element)] += 1

    def finish_bundle(self) -> Iterator[Any]:
        for counted in self.counts.items():
            yield GlobalWindows.windowed_value(counted)
