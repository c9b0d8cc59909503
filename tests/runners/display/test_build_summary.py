"""What the summary says of documents that share an id."""

from types import SimpleNamespace

import pytest

from runners.display.build_summary import _conflicts


def said(*named, skipped=None):
    counts = SimpleNamespace(conflicts=dict.fromkeys(named, 1), skipped=skipped or {"same id, other text": len(named)})
    return _conflicts(SimpleNamespace(counts=counts)).get("same id", "")


def test_nothing_is_said_where_nothing_was_lost():
    assert said() == ""


@pytest.mark.parametrize(
    ("named", "remedy"),
    [
        ("'0' of 'a.jsonl' differs from that of 'b.jsonl'", "--id-prefix file"),
        ("'0' of 'a.jsonl' differs from that of 'a.jsonl'", "--columns id=FIELD"),
        ("'wiki:A' of 'a.xml' differs from that of 'b.xml'", "each was kept once"),
        ("'it's 'odd' of 'a' differs from that of 'b'", "--id-prefix file"),
    ],
)
def test_the_remedy_is_one_that_helps(named, remedy):
    text = said(named)
    assert named in text
    assert text.endswith(remedy)


def test_a_few_are_named_and_the_others_counted():
    named = [f"'{n}' of 'a' differs from that of 'b'" for n in range(9)]
    text = said(*named, skipped={"same id, other text": 30, "same id, other annotations": 3, "duplicate": 5})
    assert text.count("differs") == 3
    assert " and 30 more: " in text
