from collections import defaultdict

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from pipeline.beam import spill
from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.beam.spill import Spill, read_blocks

BLOCK = bytes([0, 0, 0, 9]) + bytes(range(256)) * 8


def sent_by(spilled, blocks):
    """What travels for blocks, by the bucket that they go to."""
    sent = defaultdict(list)
    for to, block in blocks:
        for bucket, place in spilled.put(to, block):
            sent[bucket].append(place)
    for bucket, place in spilled.close():
        sent[bucket].append(place)
    return sent


def taken_by(sent):
    return {
        bucket: sorted(block for place in places for block in read_blocks(place)) for bucket, places in sent.items()
    }


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3 * spill._SMALL)), max_size=20), st.integers(1, 3))
def test_what_is_put_can_be_taken_whatever_its_size(tmp_path_factory, sizes, together):
    folder = tmp_path_factory.mktemp("spill")
    blocks = [(to, BLOCK[: 4 + number % 7] + bytes([number % 256]) * size) for number, (to, size) in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "_TOGETHER", together)
        sent = sent_by(Spill(str(folder)), blocks)
    assert taken_by(sent) == {to: sorted(block for other, block in blocks if other == to) for to, _ in sizes}
    assert sum(file.stat().st_size for file in folder.iterdir()) == sum(
        len(block) for _, block in blocks if len(block) >= spill._SMALL
    )


def test_only_places_travel_and_many_of_them_together(tmp_path):
    spilled = Spill(str(tmp_path))
    blocks = [(0, BLOCK)] * (2 * spill._TOGETHER + 1)
    places = sent_by(spilled, blocks)[0]
    assert [len(list(read_blocks(place))) for place in places] == [spill._TOGETHER, spill._TOGETHER, 1]
    assert max(map(len, places)) < 16 * spill._TOGETHER + 200
    assert len(list(tmp_path.iterdir())) == 1
    assert taken_by(sent_by(spilled, [(0, BLOCK)])) == {0: [BLOCK]}  # in another file
    assert len(list(tmp_path.iterdir())) == 2


def test_what_has_travelled_can_be_taken_before_the_file_ends(tmp_path):
    spilled = Spill(str(tmp_path))
    places = [place for _ in range(spill._TOGETHER) for _, place in spilled.put(0, BLOCK)]
    assert [block for place in places for block in read_blocks(place)] == [BLOCK] * spill._TOGETHER


def test_without_a_folder_blocks_travel():
    spilled = Spill(None)
    assert list(spilled.put(3, BLOCK)) == [(3, BLOCK)]
    assert list(read_blocks(BLOCK)) == [BLOCK]
    assert not list(spilled.close())


def test_a_lost_file_is_an_error(tmp_path):
    spilled = Spill(str(tmp_path))
    ((place,),) = sent_by(spilled, [(0, BLOCK)]).values()
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(FileNotFoundError):
        list(read_blocks(place))


def test_a_shuffle_finds_its_blocks_where_the_options_say(tmp_path):
    pairs = [(f"key {number % 50}", f"{number}" * 40) for number in range(2_000)]
    options = PipelineOptions([f"--spill_folder={tmp_path}"])
    with beam.Pipeline("FnApiRunner", options) as pipeline:
        groups = (pipeline | beam.Create(pairs),) | BucketedGroupByKey(3, ValueType(str))
        counts = groups | beam.MapTuple(lambda key, values: (key, len(values)))
        assert_that(counts, equal_to([(f"key {number}", 40) for number in range(50)]))
    assert any(tmp_path.iterdir())
