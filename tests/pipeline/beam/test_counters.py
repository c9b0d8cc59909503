from collections import Counter

import apache_beam as beam
from apache_beam.testing.util import BeamAssertException, assert_that, equal_to

from pipeline.beam.counters import count_elements, count_values


def summing_to(expected):
    def check(pairs):
        total = Counter()
        for entry, number in pairs:
            total[entry] += number
        if total != expected:
            raise BeamAssertException(f"{total}")

    return check


def test_words_are_counted_over_several_pcollections():
    with beam.Pipeline("FnApiRunner") as pipeline:
        one = pipeline | "one" >> beam.Create(["a", "b", "a"])
        two = pipeline | "two" >> beam.Create(["b", "c"])
        none = pipeline | "none" >> beam.Create([])
        counts = (one, two, none) | count_values("dropped")
        assert_that(counts, summing_to({("dropped", "a"): 2, ("dropped", "b"): 2, ("dropped", "c"): 1}))


def test_elements_count_alike_and_are_not_sent_one_by_one():
    with beam.Pipeline("FnApiRunner") as pipeline:
        counts = pipeline | beam.Create(range(1_000), reshuffle=False) | count_elements("read", "documents")
        assert_that(counts, summing_to({("read", "documents"): 1_000}))
        few = counts | beam.combiners.Count.Globally() | beam.Map(lambda sent: sent < 20)
        assert_that(few, equal_to([True]), "bundles")
