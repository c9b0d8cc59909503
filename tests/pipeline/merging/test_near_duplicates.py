import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.merging.near_duplicates import BANDS, are_similar, bands, signature, similarity
from tests.pipeline.made import document


def words(seed, count=300):
    chance = random.Random(seed)
    return [f"w{chance.randrange(100_000)}" for _ in range(count)]


def signed(words):
    return signature(document("d", " ".join(words)))


def shingles(words):
    return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}


@pytest.mark.parametrize("changed", [0, 5, 20, 60, 300])
def test_the_share_of_equal_places_is_about_jaccards_coefficient(changed):
    errors = []
    for seed in range(10):
        one = words(seed)
        other = [*one[: len(one) - changed], *words(seed + 100, changed)]
        mine, others = shingles(one), shingles(other)
        errors.append(similarity(signed(one), signed(other)) - len(mine & others) / len(mine | others))
    assert abs(sum(errors) / len(errors)) < 0.06


def test_copies_meet_in_a_band_and_others_do_not():
    for seed in range(50):
        one = words(seed)
        copy = [*one[:-4], "changed", "at", "the", "end"]
        assert are_similar(signed(one), signed(copy))
        assert set(bands(signed(one))) & set(bands(signed(copy)))
        assert not set(bands(signed(one))) & set(bands(signed(words(seed + 1000))))


@given(st.lists(st.sampled_from(["Ann", "met", "Bob", "Straße"]), max_size=12))
def test_equal_texts_have_equal_signatures_whatever_their_case(words):
    one, other = signed(words), signed([word.upper() for word in words])
    assert one == other
    assert len(bands(one)) == (BANDS if one else 0)
    assert bool(one) == bool(words)


def test_long_texts_are_signed_in_blocks(monkeypatch):
    monkeypatch.setattr("pipeline.merging.minhash._BLOCK", 7)
    in_blocks = signed(words(1))
    monkeypatch.undo()
    assert signed(words(1)) == in_blocks
