import apache_beam as beam
import msgspec
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coders import register_coders
from pipeline.prepare import Prepare, batches, cost
from pipeline.tally import Tally
from schemas import Document
from tests.pipeline.made import document
from tests.rule_extractor import RulePrepared, RuleSource


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 200))
def test_batches_keep_the_budget_and_lose_nothing(lengths, budget):
    prepared = [RulePrepared(document(f"d{i}", ""), ("w",) * length) for i, length in enumerate(lengths)]
    made = list(batches(prepared, budget))
    assert sorted(item.document.id for batch in made for item in batch) == sorted(item.document.id for item in prepared)
    assert all(len(batch) == 1 or sum(map(cost, batch)) <= budget for batch in made)
    assert list(batches(reversed(prepared), budget)) == made


def test_documents_that_cannot_be_prepared_are_dead_letters():
    register_coders()
    good = document("good", "Ann is in Luton.")
    unfit = document("unfit", "Unpreparable is this.")
    malformed = msgspec.structs.replace(document("malformed", "Some words."), sentences=())
    with beam.Pipeline("FnApiRunner") as pipeline:
        prepared = (
            pipeline
            | beam.Create([good, unfit, malformed]).with_output_types(Document)
            | Prepare(RuleSource(), 100, Tally("/nowhere", "extract"))
        )
        sizes = prepared.batches | "ids" >> beam.Map(lambda batch: [item.document.id for item in batch])
        letters = prepared.dead | "words" >> beam.Map(lambda letter: (letter.document_id, letter.stage, letter.detail))
        assert_that(sizes, equal_to([["good"]]), label="batches")
        expected = [
            ("unfit", "prepare", "ValueError: 'unfit' cannot be prepared"),
            ("malformed", "prepare", "ValueError: sentences cover 0 of 3 tokens"),
        ]
        assert_that(letters, equal_to(expected), label="dead letters")
