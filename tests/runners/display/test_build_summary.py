"""What the summary says of documents that share an id."""

from types import SimpleNamespace

import pytest

from runners.display.build_summary import _conflicts, _linked, _resolved, _rules


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


def report(**counts):
    return SimpleNamespace(counts=SimpleNamespace(**counts))


def test_linking_states_how_many_entities_have_an_id_and_why_others_have_none():
    counts = {
        "by the source": 1200,
        "by links": 3,
        "by the dictionary": 5,
        "no candidate": 40,
        "no candidate is likely": 2,
    }
    assert _linked(report(linked=counts)) == {
        "linking": "1,208 of 1,250 entities have a knowledge-base id (1,200 in the source, 5 by the dictionary, "
        "3 by links), 40 have no candidate, 2 no likely candidate"
    }
    assert _linked(report(linked={})) == {}


def test_resolution_states_what_it_merged():
    rows = {"nodes": 90}
    assert _resolved(report(resolution={"nodes before": 100, "same name": 10}, rows=rows)) == {
        "resolution": "100 nodes merged into 90; 10 same name"
    }
    assert _resolved(report(resolution={"nodes before": 90}, rows=rows)) == {"resolution": "none of 90 nodes merged"}


def test_rules_are_counted_by_rule():
    counts = {"inverse: edges derived": 13, "functional: edges in conflict": 74}
    assert _rules(counts) == {"rules": "functional: 74 edges in conflict; inverse: 13 edges derived"}
    assert _rules({}) == {}
