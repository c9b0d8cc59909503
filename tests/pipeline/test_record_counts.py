import pytest

from pipeline.dead_letters import BuildFailed
from pipeline.record_counts import check_balance, counts_of

ENTRIES = {
    ("read", "documents"): 10,
    ("read", "dead letters"): 3,
    ("read", "skipped"): 3,
    ("read", "removals"): 1,
    ("skipped", "talk page"): 3,
    ("skipped", "superseded"): 2,
    ("skipped", "repeated dead letter"): 1,
    ("change", "added"): 6,
    ("change", "replaced"): 1,
    ("change", "retried"): 1,
    ("change", "kept"): 4,
    ("change", "removed"): 2,
    ("letters", "new"): 2,
    ("letters", "removed"): 1,
    ("dead letters", "read: unreadable"): 6,
    ("dead letters", "extract: extractor failed"): 1,
    ("rows", "documents"): 11,
    ("rows", "dead_letters"): 7,
}
ROWS = {"documents": 11, "dead_letters": 7, "nodes": 0}


def test_books_that_balance_pass():
    assert counts_of(ENTRIES).skipped == {"repeated dead letter": 1, "superseded": 2, "talk page": 3}
    check_balance(ENTRIES, ROWS, documents=12, unread=5)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({**ROWS, "documents": 10}, "rows of documents and their dead letters: 12 are not 11"),
        ({**ROWS, "documents": 12}, "rows of documents: 11 are not 12"),
        ({**ROWS, "dead_letters": 6}, "rows of dead letters: 7 are not 6"),
        ({**ROWS, "nodes": 1}, "rows of nodes: 0 are not 1"),
    ],
)
def test_a_record_too_few_or_too_many_in_the_tables_is_told(rows, message):
    with pytest.raises(BuildFailed, match=message):
        check_balance(ENTRIES, rows, documents=12, unread=5)


@pytest.mark.parametrize(
    ("entry", "number", "message"),
    [
        (("read", "documents"), 11, "documents read: 11 are not 10"),
        (("change", "kept"), 3, "documents in the store: 12 are not 11"),
        (("letters", "new"), 1, "dead letters read: 3 are not 2"),
        (("letters", "removed"), 0, "dead letters of reading: 7 are not 6"),
        (("skipped", "talk page"), 2, "skipped records: 3 are not 2"),
    ],
)
def test_a_record_lost_or_doubled_on_the_way_is_told(entry, number, message):
    with pytest.raises(BuildFailed, match=message):
        check_balance({**ENTRIES, entry: number}, ROWS, documents=12, unread=5)
