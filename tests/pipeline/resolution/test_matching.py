import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.resolution.matching import FEATURES, features, match_model, probability, reason
from tests.pipeline.resolution.made import profile

NAMES = st.sampled_from(["Ada Lovelace", "A. Lovelace", "Lovelace", "NATO", "Café (bar)", "cafes", "é"])


@given(NAMES, NAMES)
def test_features_are_the_same_in_either_order(one, other):
    left, right = profile(one, neighbours=("x",)), profile(other, kb_id="wiki:X", neighbours=("x", "y"))
    values = features(left, right)
    assert values == features(right, left)
    assert len(values) == len(FEATURES)
    assert 0 <= probability(values, match_model()) <= 1


def test_features_say_what_they_are_called():
    one = profile("Lovelace", aliases=("Ada", "Lovelace"), neighbours=("n",))
    other = profile("Ada Lovelace", aliases=("Ada Lovelace", "Lovelace"), neighbours=("n",))
    found = dict(zip(FEATURES, features(one, other), strict=True))
    assert found["contained"] == found["single word"] == found["name is alias"] == 1
    assert found["same letters"] == found["together"] == found["common noun"] == 0
    assert found["shared aliases"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["shared neighbours"] == pytest.approx(0.6931, abs=1e-4)


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("Cafe", "Café", "same letters"),
        ("Lovelace Ada", "Ada Lovelace", "same words"),
        ("NATO", "North Atlantic Treaty Organization", "acronym"),
        ("J. Smith", "John Smith", "initials"),
        ("Obama", "Barack Obama", "part of the name"),
        ("colour", "color", "like spelling"),
    ],
)
def test_reasons(one, other, words):
    assert reason(features(profile(one), profile(other))) == words


def test_the_shipped_weights_join_spellings_and_not_namesakes():
    model = match_model()
    assert set(model.weights) == set(FEATURES)

    def chance(one, other, **fields):
        return probability(features(profile(one), profile(other, kb_id="wiki:X", **fields)), model)

    assert chance("Joao Goncalves", "João Gonçalves") >= model.threshold
    assert chance("John Smith", "Jane Smith") < 0.1
    assert chance("Smith", "John Smith") < model.threshold
    assert chance("Mercury", "Mercury (planet)") < model.threshold
