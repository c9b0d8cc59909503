"""The best-F1 cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.evaluation import Score, best_threshold


def test_counted_by_hand():
    # Sorted: 0.9 right, 0.8 right, 0.7 wrong, 0.6 right, 0.5 wrong; 4 gold facts.
    # F1 = 2 right / (kept + 4): 2/5, 4/6, 4/7, 6/8, 6/9. The best is 0.75 at 0.6.
    cut = best_threshold([0.5, 0.9, 0.7, 0.8, 0.6], [False, True, False, True, True], 4)
    assert cut.value == 0.6
    assert cut.score == Score(gold=4, predicted=4, correct=3)
    assert cut.score.f1 == pytest.approx(0.75)


def test_equal_probabilities_are_kept_or_dropped_together():
    # A cut inside the ties would reach 1.0; it does not exist.
    cut = best_threshold([0.5, 0.5, 0.5, 0.2], [True, False, False, False], 1)
    assert cut.value == 0.5
    assert cut.score == Score(1, 3, 1)


def test_of_equally_good_cuts_the_highest_wins():
    # 0.9: 2/(1+3); 0.4 keeps four with two right: 4/(5+3): both 0.5.
    cut = best_threshold([0.9, 0.8, 0.7, 0.6, 0.4], [True, False, False, False, True], 3)
    assert cut.value == 0.9


def test_without_candidates():
    assert best_threshold([], [], 3).score == Score(gold=3)
    assert best_threshold([], [], 3).value == 1.0


@pytest.mark.parametrize(
    ("probabilities", "correct", "gold", "message"),
    [
        ([0.1], [True, False], 2, "equal lists"),
        ([[0.1]], [[True]], 2, "equal lists"),
        ([0.1, float("nan")], [True, False], 2, "probability 1 is not a number"),
        ([0.1], [True], 0, "more than the 0 gold"),
    ],
)
def test_input_that_makes_no_sense_is_refused(probabilities, correct, gold, message):
    with pytest.raises(ValueError, match=message):
        best_threshold(probabilities, correct, gold)


CANDIDATES = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.7, 0.9]), st.booleans()), min_size=1, max_size=30)


@settings(deadline=None)
@given(CANDIDATES, st.integers(0, 5))
def test_no_other_cut_is_better(candidates, never_found):
    gold = sum(hit for _, hit in candidates) + never_found
    best = best_threshold([p for p, _ in candidates], [hit for _, hit in candidates], gold)

    def score(value):
        kept = [hit for p, hit in candidates if p >= value]
        return Score(gold, len(kept), sum(kept))

    assert best.score == score(best.value)
    assert best.score.f1 == pytest.approx(max(score(value).f1 for value, _ in candidates))
