"""Cuts: the best F1 by brute force, cuts by relation only where they help, and precision that holds elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from extractors.calibration import calibrate_relations
from extractors.calibration.calibration_error import FLOOR
from extractors.calibration.probability_maps import platt
from extractors.calibration.thresholds import (
    CONFIDENCE,
    MIN_FACTS,
    global_threshold,
    lower_bounds,
    precision_recall_curve,
    relation_thresholds,
    score_at,
    with_thresholds,
)
from extractors.inference.confidence import PrecisionError
from tests.extractors.calibration.made import candidates, drawn

PROBABILITIES = st.sampled_from([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
LISTED = st.lists(
    st.tuples(PROBABILITIES, st.booleans(), st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=40
)


def at(cut, values, made):
    return score_at(np.full(len(made.relations), cut), values, made)


@settings(deadline=None)
@given(rows=LISTED, lost=st.integers(0, 4))
def test_no_global_cut_has_a_better_f1(rows, lost):
    made = candidates(*map(list, zip(*rows, strict=True)), lost=lost)
    best = at(global_threshold(made.score, made), made.score, made).f1
    # Fractions of whole numbers that are equal may differ in their last bit.
    assert best >= max(at(cut, made.score, made).f1 for cut in (*made.score, 1.1)) - 1e-12


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_no_cut_of_a_frequent_relation_has_a_better_f1(seed):
    made = drawn(600, seed=seed)
    values = made.probabilities(platt(made))
    for relation, cut in relation_thresholds(values, made).items():
        own = made.where(made.relation == made.relations.index(relation))
        of_own = values[made.relation == made.relations.index(relation)]
        gold = int(made.gold[:, made.relations.index(relation)].sum())
        f1 = {
            c: 2 * own.correct[of_own >= c].sum() / ((of_own >= c).sum() + gold)
            for c in (cut, *of_own[of_own >= FLOOR])
        }
        assert f1[cut] == max(f1.values())


def test_rare_relations_have_no_cut_of_their_own():
    hits = MIN_FACTS
    made = candidates([0.9] * hits + [0.9] * (hits - 1), [True] * (2 * hits - 1), [0] * hits + [1] * (hits - 1))
    assert set(relation_thresholds(made.score, made)) == {"R1"}


def test_relations_get_cuts_only_where_that_helps_on_other_documents():
    # Probabilities are right for both relations, so that one cut is best for both.
    same = drawn(shifts=(0.0, 0.0))
    one = with_thresholds(platt(same), same)
    # One line for both relations misjudges them: their best cuts differ.
    different = drawn(shifts=(-3.0, 3.0))
    own = with_thresholds(platt(different), different)
    assert set(own.relation_thresholds) == {"R1", "R2"}
    assert own.relation_thresholds["R1"] > own.relation_thresholds["R2"] + 0.2
    assert not one.relation_thresholds or abs(np.subtract(*one.relation_thresholds.values())) < 0.1


@settings(deadline=None)
@given(rows=LISTED, lost=st.integers(0, 4))
def test_the_curve_states_what_its_cuts_give(rows, lost):
    made = candidates(*map(list, zip(*rows, strict=True)), lost=lost)
    curve = precision_recall_curve(made.score, made)
    assert list(curve.threshold) == sorted({p for p in made.score if p >= FLOOR})
    for cut, precision, recall, surely in zip(
        curve.threshold, curve.precision, curve.recall, curve.lower_bound, strict=True
    ):
        score = at(cut, made.score, made)
        assert (precision, recall) == (pytest.approx(score.precision, abs=1e-4), pytest.approx(score.recall, abs=1e-4))
        assert 0 <= surely <= precision + 1e-4


@settings(deadline=None)
@given(rows=LISTED, target=st.floats(0.01, 1))
def test_the_cut_for_a_precision_is_the_smallest_that_surely_reaches_it(rows, target):
    made = candidates(*map(list, zip(*rows, strict=True)))
    curve = precision_recall_curve(made.score, made)
    try:
        cut = curve.threshold_for(target)
    except PrecisionError:
        assert all(surely < target for surely in curve.lower_bound)
    else:
        place = curve.threshold.index(cut)
        assert curve.lower_bound[place] >= target
        assert all(surely < target for surely in curve.lower_bound[:place])
        assert at(cut, made.score, made).precision >= target - 1e-4


def test_a_curve_of_many_facts_is_short():
    made = drawn(50_000)
    curve = precision_recall_curve(made.probabilities(platt(made)), made)
    assert 100 <= len(curve.threshold) <= 200


def test_independent_facts_have_the_interval_of_clopper_and_pearson():
    right, kept = np.full((50, 1), 9.0), np.full((50, 1), 10.0)  # no document differs from another
    assert lower_bounds(right, kept)[0] == pytest.approx(beta.ppf(1 - CONFIDENCE, 450, 51))
    alike = np.where(np.arange(50)[:, None] < 45, 10.0, 0.0)  # facts of one document are all right or all wrong
    fewer = lower_bounds(alike, kept)[0]
    # 50 documents tell about as much as 50 facts.
    assert fewer == pytest.approx(beta.ppf(1 - CONFIDENCE, 45, 6), abs=0.005)


def test_the_target_precision_holds_on_other_documents():
    for target in (0.8, 0.9):
        kept = []
        for seed in range(6):
            chosen, other = drawn(8000, seed=seed), drawn(40_000, seed=1000 + seed)
            calibration = calibrate_relations(chosen)
            score = at(calibration.curve.threshold_for(target), other.probabilities(calibration), other)
            kept.append(score.precision)
            assert score.recall > 0.2
        assert min(kept) >= target - 0.02
        assert np.mean(np.array(kept) >= target) >= 0.8


def test_an_unreachable_precision_names_the_best():
    made = candidates([0.9] * 10, [True] * 5 + [False] * 5)
    with pytest.raises(PrecisionError, match=r"bound is at most 0\.2\d+ \(with recall 1.000\)"):
        precision_recall_curve(made.score, made).threshold_for(0.9)
    with pytest.raises(PrecisionError, match="factmill calibrate"):
        platt(made).curve.threshold_for(0.9)
