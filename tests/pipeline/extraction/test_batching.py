import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extraction.batching import batches, cost, prepare_safely
from tests.pipeline.made import document
from tests.rule_extractor import RuleExtractor, RuleFeatures


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 200))
def test_batches_keep_the_budget_and_lose_nothing(lengths, budget):
    prepared = [RuleFeatures(document(f"d{i}", ""), ("w",) * length) for i, length in enumerate(lengths)]
    made = list(batches(prepared, budget))
    assert sorted(item.document.id for batch in made for item in batch) == sorted(item.document.id for item in prepared)
    assert all(len(batch) == 1 or sum(map(cost, batch)) <= budget for batch in made)
    assert list(batches(reversed(prepared), budget)) == made


def test_documents_that_cannot_be_prepared_are_dead_letters():
    good = document("good", "Ann is in Luton.")
    unfit = document("unfit", "Unpreparable is this.")
    malformed = msgspec.structs.replace(document("malformed", "Some words."), sentences=())
    assert prepare_safely(RuleExtractor(), good).document == good
    letters = [prepare_safely(RuleExtractor(), item) for item in (unfit, malformed)]
    assert [(letter.document_id, letter.stage, letter.detail) for letter in letters] == [
        ("unfit", "prepare", "ValueError: 'unfit' cannot be prepared"),
        ("malformed", "prepare", "ValueError: sentences cover 0 of 3 tokens"),
    ]
