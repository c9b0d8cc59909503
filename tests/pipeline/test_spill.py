import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from pipeline import spill
from pipeline.shuffle import Shuffle, Values
from pipeline.spill import Spill, taken

BLOCK = bytes([0, 0, 0, 9]) + bytes(range(256)) * 8


@given(st.lists(st.integers(0, 3 * spill._SMALL), max_size=9))
def test_what_is_put_can_be_taken_whatever_its_size(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("spill")
    blocks = [BLOCK[: 4 + number % 7] + bytes([number % 256]) * size for number, size in enumerate(sizes)]
    spilled = Spill(str(folder))
    sent = [spilled.put(block) for block in blocks]
    spilled.close()
    assert [taken(place) for place in sent] == blocks
    assert sum(file.stat().st_size for file in folder.iterdir()) == sum(
        len(block) for block in blocks if len(block) >= spill._SMALL
    )


def test_only_places_travel(tmp_path):
    spilled = Spill(str(tmp_path))
    places = [spilled.put(BLOCK) for _ in range(3)]
    assert max(map(len, places)) < 300
    assert len(list(tmp_path.iterdir())) == 1
    assert taken(places[1]) == BLOCK  # also before the file is closed
    spilled.close()
    spilled.put(BLOCK)
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_folder_blocks_travel():
    spilled = Spill(None)
    assert spilled.put(BLOCK) == BLOCK == taken(BLOCK)
    spilled.close()


def test_a_lost_file_is_an_error(tmp_path):
    spilled = Spill(str(tmp_path))
    place = spilled.put(BLOCK)
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(FileNotFoundError):
        taken(place)


def test_a_shuffle_finds_its_blocks_where_the_options_say(tmp_path):
    pairs = [(f"key {number % 50}", f"{number}" * 40) for number in range(2_000)]
    options = PipelineOptions([f"--spill_folder={tmp_path}"])
    with beam.Pipeline("FnApiRunner", options) as pipeline:
        groups = (pipeline | beam.Create(pairs),) | Shuffle(3, Values(str))
        counts = groups | beam.MapTuple(lambda key, values: (key, len(values)))
        assert_that(counts, equal_to([(f"key {number}", 40) for number in range(50)]))
    assert any(tmp_path.iterdir())
