from operator import add

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam import bucketed_lookup
from pipeline.beam.bucketed_group_by_key import ValueType, pack_block
from pipeline.beam.bucketed_lookup import BucketedLookup

KNOWN = ValueType(int, add)
keys = st.sampled_from(["", "a", "b", "ä", "name of a node"])


def blocks(pairs, side, size):
    return [(side, pack_block(pairs[start : start + size])) for start in range(0, len(pairs), size)]


@given(
    st.lists(st.tuples(keys, st.text(max_size=9))),
    st.lists(st.tuples(keys, st.integers(-9, 9))),
    st.integers(1, 4),
    st.randoms(),
)
def test_every_value_comes_with_what_is_known_of_its_key(values, told, size, random):
    sent = blocks(values, 0, size) + blocks(told, 1, size)
    random.shuffle(sent)
    sums = {key: sum(number for other, number in told if other == key) for key, _ in told}
    found = bucketed_lookup._looked_up((0, sent), str, KNOWN)
    assert sorted(found, key=repr) == sorted(((key, value, sums.get(key)) for key, value in values), key=repr)


def test_values_of_one_key_are_read_as_they_are_wanted(monkeypatch):
    read = []
    monkeypatch.setattr(bucketed_lookup, "unpack_blocks", lambda sent, kind: iter(read.append(sent) or [("hub", sent)]))
    found = bucketed_lookup._looked_up((0, [(0, b"first"), (0, b"second")]), bytes, KNOWN)
    assert (next(found), read) == (("hub", b"first", None), [b"first"])
    assert (next(found), read) == (("hub", b"second", None), [b"first", b"second"])


def test_values_and_what_is_known_come_together_in_beam():
    with beam.Pipeline("FnApiRunner") as pipeline:
        values = pipeline | "values" >> beam.Create([("a", "x"), ("a", "y"), ("b", "z")])
        known = pipeline | "known" >> beam.Create([("a", 1), ("a", 2), ("c", 5)])
        found = (values, known) | BucketedLookup(3, str, KNOWN)
        assert_that(found, equal_to([("a", "x", 3), ("a", "y", 3), ("b", "z", None)]))
