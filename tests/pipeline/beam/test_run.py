import time

import apache_beam as beam
import pytest
from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry
from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.testing.util import assert_that, equal_to

from pipeline.beam.run import choose_runner
from pipeline.dead_letters import BuildError


class Slow:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return self.number == other.number


class SlowCoder(Coder):
    """Takes longer to encode an element than worker threads wait until they send what they have."""

    def encode(self, value):
        time.sleep(1.2)
        return str(value.number).encode()

    def decode(self, encoded):
        return Slow(int(encoded))

    def is_deterministic(self):
        return True

    @classmethod
    def from_type_hint(cls, typehint, registry):
        return cls()


def test_threads_send_no_half_elements():
    registry.register_coder(Slow, SlowCoder)
    runner, options = choose_runner("threads", 2, [])
    with beam.Pipeline(runner, options) as pipeline:
        grouped = (
            pipeline
            | beam.Create([1, 2])
            | beam.Map(lambda n: (f"key {n}", Slow(n))).with_output_types(tuple[str, Slow])
            | beam.GroupByKey()
            | beam.MapTuple(lambda key, values: (key, [value.number for value in values]))
        )
        assert_that(grouped, equal_to([("key 1", [1]), ("key 2", [2])]))


@pytest.mark.parametrize(
    ("name", "workers", "expected"),
    [("local", 1, 1), ("local", 3, 3), ("memory", 3, 1), ("threads", 3, 3), ("processes", 3, 3)],
)
def test_local_runners_work_with_as_many_workers_as_asked_for(name, workers, expected):
    _, options = choose_runner(name, workers, [])
    assert options.view_as(DirectOptions).direct_num_workers == expected


def test_options_for_beam_come_through_and_win():
    runner, options = choose_runner("FlinkRunner", 4, ["--flink_master=localhost:8081"])
    assert runner == "FlinkRunner"
    assert options.get_all_options()["flink_master"] == "localhost:8081"
    _, options = choose_runner("threads", 4, ["--direct_num_workers=7"])
    assert options.view_as(DirectOptions).direct_num_workers == 7


def test_beams_own_mode_is_refused():
    with pytest.raises(BuildError, match="use --runner memory, threads, processes"):
        choose_runner("local", 2, ["--direct_running_mode=multi_threading"])
