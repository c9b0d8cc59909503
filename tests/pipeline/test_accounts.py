import pytest

from pipeline.accounts import check_balance, counts_of
from pipeline.failures import BuildFailed
from pipeline.settle import LEFT_OUT

ENTRIES = {
    ("read", "documents"): 10,
    ("read", "dead letters"): 2,
    ("read", "skipped"): 3,
    ("read", "removals"): 1,
    ("skipped", "talk page"): 3,
    ("skipped", "superseded"): 2,
    ("dead letters", "read: unreadable"): 2,
    ("dead letters", "extract: extractor failed"): 1,
    ("rows", "documents"): 7,
    ("rows", "dead_letters"): 3,
}
ROWS = {"documents": 7, "dead_letters": 3, "nodes": 0}


def test_books_that_balance_pass():
    counts = counts_of(ENTRIES)
    assert counts.skipped == {"superseded": 2, "talk page": 3}
    check_balance(counts, ROWS, LEFT_OUT)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({**ROWS, "documents": 6}, "documents read: 10 are not 9"),
        ({**ROWS, "documents": 8}, "rows of documents: 7 are not 8"),
        ({**ROWS, "dead_letters": 2}, "rows of dead letters: 3 are not 2"),
        ({**ROWS, "nodes": 1}, "rows of nodes: 0 are not 1"),
    ],
)
def test_a_record_too_few_or_too_many_is_told(rows, message):
    with pytest.raises(BuildFailed, match=message):
        check_balance(counts_of(ENTRIES), rows, LEFT_OUT)


def test_a_skipped_record_without_a_reason_is_told():
    with pytest.raises(BuildFailed, match="skipped records: 3 are not 2"):
        check_balance(counts_of({**ENTRIES, ("skipped", "talk page"): 2}), ROWS, LEFT_OUT)
