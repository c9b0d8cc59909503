import pytest

from pipeline.resolution.blocking import blocking_record, keys, may_match, pairs
from tests.pipeline.resolution.made import profile


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "Lovelace Ada"),
        ("J. Smith", "John Smith"),
        ("NATO", "North Atlantic Treaty Organization"),
        ("Obama", "Barack Obama"),
        ("Acme", "Acme Corporation"),
        ("colour vision", "color vision"),
        ("Muhammad Ali", "Mohammad Ali"),
    ],
)
def test_names_that_may_be_one_meet(one, other):
    assert keys(profile(one)) & keys(profile(other))


def test_a_name_meets_whom_it_is_an_alias_of():
    assert "letters" in next(iter(keys(profile("Ada")) & keys(profile("Countess", aliases=("Ada", "Countess")))))


@pytest.mark.parametrize("name", ["the company", "she", "2.4%", "—", "C", "x"])
def test_what_is_no_name_has_no_keys(name):
    assert keys(profile(name)) == set()


def test_some_nodes_are_never_compared():
    assert may_match(profile("Ada"), profile("Ada", kb_id="wiki:Ada"))
    assert not may_match(profile("Ada", kb_id="wiki:Ada"), profile("Ada", kb_id="wiki:Ada Lovelace"))
    assert not may_match(profile("Ada"), profile("Ada", "LOC"))
    assert not may_match(profile("Henry IV"), profile("Henry V"))
    assert not may_match(profile("Ada"), profile("Ada"))
    assert not may_match(profile("UK", "LOC", aliases=("UK", "U.S.")), profile("U.S.", "LOC"))
    assert may_match(profile("USA", "LOC"), profile("U.S.", "LOC"))
    assert may_match(profile("N.A.T.O."), profile("NATO"))


def test_in_blocks_of_one_word_only_like_names_are_compared():
    cards = [blocking_record(profile(name)) for name in ("Barack Obama", "Obama", "Michelle Obama")]
    found = {frozenset(pair) for pair in pairs("word obama", cards)}
    assert found == {frozenset({cards[0].id, cards[1].id}), frozenset({cards[2].id, cards[1].id})}
    assert len(list(pairs("letters obama", cards))) == 3
