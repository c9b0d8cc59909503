from collections import defaultdict
from operator import add, ior

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam import bucketed_group_by_key
from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType, buckets_for, pack_block, unpack_blocks
from pipeline.beam.spill import Spill
from pipeline.merging.findings import EdgeTally

SIDES = (ValueType(int, add), ValueType(str), ValueType(set[int], ior))


def packed_by_bundles(pairs, side, buckets, bundles):
    """What is sent for some pairs that arrive in so many bundles."""
    packer = bucketed_group_by_key._Pack(bucketed_group_by_key.PackBlocks(buckets, SIDES[side], side), Spill(None))
    for number in range(bundles):
        packer.start_bundle()
        for pair in pairs[number::bundles]:
            yield from packer.process(pair) or ()
        yield from (sent.value for sent in packer.finish_bundle())
        assert packer.size == 0


keys = st.sampled_from(["", "a", "b", "ä", "name of a node"])
numbers = st.integers(-(2**40), 2**40)


@pytest.fixture(scope="module", params=[(1 << 20, 1 << 25, 1 << 15), (20, 1 << 25, 3), (1 << 20, 40, 0)])
def limits(request):
    names = ("_BLOCK", "_BLOCKS", "_KEYS")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(names, request.param, strict=True):
            patch.setattr(bucketed_group_by_key, name, value)
        yield


@given(
    st.lists(st.tuples(keys, numbers)),
    st.lists(st.tuples(keys, st.text(max_size=9))),
    st.lists(st.tuples(keys, numbers)),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_all_that_comes_to_a_key_comes_together(limits, first, second, third, buckets, bundles):
    sums, lists, sets = defaultdict(int), defaultdict(list), defaultdict(set)
    for key, number in first:
        sums[key] += number
    for key, text in second:
        lists[key].append(text)
    for key, number in third:
        sets[key].add(number)
    by_bucket = defaultdict(list)
    for side, pairs in enumerate((first, second, [(key, {number}) for key, number in third])):
        for bucket, sent in packed_by_bundles(pairs, side, buckets, bundles):
            by_bucket[bucket].append(sent)
    assert set(by_bucket) <= set(range(buckets))
    found = [list(bucketed_group_by_key._groups(group, SIDES)) for group in by_bucket.items()]
    assert all(groups == sorted(groups, key=lambda group: group[0]) for groups in found)
    groups = [group for groups in found for group in groups]
    assert sorted((key, total, sorted(texts), numbers) for key, total, texts, numbers in groups) == [
        (key, sums.get(key), sorted(lists.get(key, ())), sets.get(key)) for key in sorted({*sums, *lists, *sets})
    ]


def test_pairs_come_together_in_beam_and_numbers_are_buckets():
    tallies = [EdgeTally.of(0.5), EdgeTally.of(0.25), EdgeTally.of(0.75)]
    with beam.Pipeline("FnApiRunner") as pipeline:
        said = pipeline | "said" >> beam.Create([(7, tally) for tally in tallies])
        more = pipeline | "more" >> beam.Create([(2, tallies[0])])
        asked = pipeline | "asked" >> beam.Create([(7, "x"), (11, "y")])
        found = ((said, more), asked) | BucketedGroupByKey(
            3, ValueType(EdgeTally, EdgeTally.with_independent), ValueType(str)
        )
        total = tallies[0].with_independent(tallies[1]).with_independent(tallies[2])
        assert_that(found, equal_to([(2, tallies[0], []), (7, total, ["x"]), (11, None, ["y"])]))


def test_a_block_gives_back_its_pairs():
    pairs = [(f"key {number}", "value" * number) for number in range(100)]
    assert list(unpack_blocks(pack_block(pairs), str)) == pairs


def test_the_number_of_buckets_follows_from_that_of_shards():
    assert [buckets_for(shards) for shards in (1, 2, 16, 32, 256, 16_384)] == [1, 2, 16, 16, 32, 2048]
