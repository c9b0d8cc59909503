import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import content_hash
from sinks.neo4j.digests import Buckets, Digests, hashes

TYPES = (pa.string(), pa.list_(pa.string()), pa.float64(), pa.int32(), pa.bool_(), pa.string())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
ROWS = st.lists(
    st.tuples(TEXTS, st.lists(TEXTS, max_size=3), st.floats(0, 1), st.integers(0, 3), st.booleans(), TEXTS),
    max_size=12,
)


def columns(rows):
    return [pa.array([row[place] for row in rows], type) for place, type in enumerate(TYPES)]


def digests(rows, buckets=8, cut=0):
    """Digests of some rows, by their first texts, added in two parts."""
    found = Digests(buckets)
    for part in (rows[:cut], rows[cut:]):
        found.add(pa.array([content_hash(row[0]) for row in part], pa.string()), hashes(columns(part)))
    return found


@given(ROWS)
def test_rows_have_one_hash_when_they_are_one(rows):
    found = hashes(columns(rows)).tolist()
    assert len(found) == len(rows)
    known = [repr(row) for row in rows]  # which tells 0.0 from -0.0
    assert [[a == b for b in found] for a in found] == [[a == b for b in known] for a in known]


def test_texts_and_lists_that_read_the_same_have_different_hashes():
    lists = [["ab"], ["a", "b"], ["ab", ""], ["", "ab"], [], [""], ["\x02\0\0\0\0\0\0\0ab"]]
    assert len(set(hashes([pa.array(lists)]).tolist())) == len(lists)
    assert len(set(hashes([pa.array(["ab", "a", ""]), pa.array(["c", "bc", "abc"])]).tolist())) == 3


def test_a_part_of_a_table_has_the_hashes_of_its_rows():
    rows = [(str(number), [str(number), "x"], number / 7, number, number % 2 == 0, "") for number in range(10)]
    whole = pa.table(dict(zip("abcdef", columns(rows), strict=True)))
    assert hashes(whole.slice(3, 4).columns).tolist() == hashes(whole.columns).tolist()[3:7]
    assert hashes(pa.concat_tables([whole[:2], whole[2:]]).columns).tolist() == hashes(whole.columns).tolist()


def test_every_process_has_the_same_hashes():
    program = (
        "import pyarrow as pa; from sinks.neo4j.digests import hashes; print(hashes([pa.array(['a']), pa.array([1])]))"
    )
    told = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout for _ in range(2)}
    assert told == {f"{hashes([pa.array(['a']), pa.array([1])]).tolist()}\n"}


@given(ROWS, st.data())
def test_order_and_cuts_do_not_matter(rows, data):
    other = digests(data.draw(st.permutations(rows)), cut=data.draw(st.integers(0, len(rows))))
    assert bytes(other) == bytes(digests(rows))
    assert len(digests(rows).differing(Digests.from_bytes(bytes(other)))) == 0


@given(ROWS, ROWS, st.sampled_from([1, 2, 16, 1_000]), st.sampled_from([1, 8]))
def test_buckets_differ_that_hold_other_rows(rows, others, buckets, other_buckets):
    differing = digests(rows, buckets).differing(digests(others, other_buckets))
    least = min(1 << (buckets - 1).bit_length(), other_buckets)

    def held(some):
        found = {}
        for row in sorted(map(repr, some)):
            place = int(content_hash(eval(row)[0])[:8], 16) * least >> 32
            found.setdefault(place, []).append(row)
        return found

    mine, theirs = held(rows), held(others)
    wanted = {place for place in range(least) if mine.get(place) != theirs.get(place)}
    assert len(differing) == len(wanted)
    ids = [content_hash(str(number)) for number in range(40)]
    inside = [int(id[:8], 16) * least >> 32 in wanted for id in ids]
    assert differing.hold(pa.array(ids)).to_pylist() == inside
    assert [any(first <= id < last for first, last in differing.ranges()) for id in ids] == inside
    assert [id.startswith(("-", *differing.prefixes())) for id in ids] == inside


@pytest.mark.parametrize(
    ("chosen", "ranges"),
    [
        ([True], [("00000000", "g")]),
        ([False], []),
        ([True, True, False, True], [("00000000", "80000000"), ("c0000000", "g")]),
    ],
)
def test_neighbours_make_one_range(chosen, ranges):
    assert Buckets(np.array(chosen)).ranges() == ranges


@pytest.mark.parametrize(
    ("chosen", "prefixes"),
    [
        ([True], [""]),
        ([False], []),
        ([False, True], list("89abcdef")),
        ([False] * 31 + [True], ["f8", "f9", "fa", "fb", "fc", "fd", "fe", "ff"]),
    ],
)
def test_few_digits_tell_buckets_from_others(chosen, prefixes):
    assert Buckets(np.array(chosen)).prefixes() == prefixes


def test_there_are_no_more_than_a_million_buckets():
    assert len(bytes(Digests(10**9))) == 8 * 2**20
    assert [len(bytes(Digests(count))) // 8 for count in (0, 1, 2, 3, 4, 5)] == [1, 1, 2, 4, 4, 8]
