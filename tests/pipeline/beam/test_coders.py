import apache_beam as beam
import pytest
from apache_beam.coders.typecoders import registry
from apache_beam.testing.util import assert_that, equal_to

from pipeline.beam.coders import RecordCoder
from pipeline.record_types import RECORDS, register_coders
from schemas import Document, Redirect
from tests.pipeline.made import document


def test_records_come_back_equal_and_to_the_same_bytes():
    made = document("d", "Ann is in Luton.", {"Luton": "wiki:Luton"}, metadata=(("a", "b"),), version=3)
    coder = RecordCoder(Document)
    assert coder.decode(coder.encode(made)) == made
    assert coder.encode(coder.decode(coder.encode(made))) == coder.encode(made)


@pytest.mark.parametrize("kind", RECORDS)
def test_beam_takes_our_coder_for_every_record(kind):
    register_coders()
    coder = registry.get_coder(kind)
    assert coder == RecordCoder(kind)
    assert coder.is_deterministic()
    assert coder.to_type_hint() is kind


def test_records_may_be_keys():
    register_coders()
    redirects = [Redirect("a", "b", "f"), Redirect("a", "b", "f"), Redirect("c", "b", "f")]
    with beam.Pipeline("FnApiRunner") as pipeline:
        counts = (
            pipeline
            | beam.Create(redirects).with_output_types(Redirect)
            | beam.Map(lambda record: (record, 1)).with_output_types(tuple[Redirect, int])
            | beam.CombinePerKey(sum)
        )
        assert_that(counts, equal_to([(redirects[0], 2), (redirects[2], 1)]))
