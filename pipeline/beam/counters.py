"""Counting what a pipeline meets, for its report.

Bundles are counted, not by metrics, because a bundle that runs twice counts once here; and not element by element,
because that would take longer than what is counted.
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
    """PCollections to (entry, number) pairs, several for an entry.

    Attributes:
        entry: tells under which entry an element is counted.
    """

    entry: Callable[[Any], CountKey]

    def expand(self, given: Any) -> Any:
        """Apply to a PCollection, or a tuple of several."""
        if not isinstance(given, tuple):
            return given | beam.ParDo(_Count(self.entry)).with_output_types(Counted)
        return [
            elements | f"of {number}" >> CountBy(self.entry) for number, elements in enumerate(given)
        ] | beam.Flatten()


def count_elements(stage: str, what: str) -> CountBy:
    """Return what counts every element alike."""
    return CountBy(lambda _: (stage, what))


def count_values(stage: str) -> CountBy:
    """Return what counts equal words."""
    return CountBy(lambda word: (stage, word))


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
