import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.calibration.calibration_error import brier_score, error_interval, log_loss, quality, reliability

P = np.array([0.05, 0.15, 0.25, 0.95, 0.85, 0.95])
CORRECT = np.array([False, False, True, True, True, False])


def test_errors_counted_by_hand():
    # Two bins of equal width: [0.05, 0.15, 0.25] has mean 0.15 and share 1/3, [0.95, 0.85, 0.95] 0.9167 and 2/3.
    two = reliability(P, CORRECT, bins=2)
    assert two.probability == pytest.approx([0.15, 2.75 / 3])
    assert two.share == pytest.approx([1 / 3, 2 / 3])
    assert two.count.tolist() == [3, 3]
    assert two.error == pytest.approx((abs(0.15 - 1 / 3) + abs(2.75 / 3 - 2 / 3)) / 2)
    # Three of equal mass: (0.05, 0.15), (0.25, 0.85), (0.95, 0.95) with the shares 0, 1 and 1/2.
    three = reliability(P, CORRECT, bins=3, equal_mass=True)
    assert three.probability == pytest.approx([0.1, 0.55, 0.95])
    assert three.share == pytest.approx([0, 1, 0.5])
    assert three.error == pytest.approx((0.1 + 0.45 + 0.45) / 3)
    assert brier_score(P, CORRECT) == pytest.approx((0.05**2 + 0.15**2 + 0.75**2 + 0.05**2 + 0.15**2 + 0.95**2) / 6)
    expected = -np.log([0.95, 0.85, 0.25, 0.95, 0.85, 0.05]).mean()
    assert log_loss(P, CORRECT) == pytest.approx(expected)


def test_empty_bins_and_empty_lists_count_nothing():
    assert reliability(np.array([0.5]), np.array([True])).count.tolist() == [1]
    assert quality(np.zeros(0), np.zeros(0, bool)).ece == 0.0
    assert reliability(np.array([1.0, 0.0]), np.array([True, False])).error == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_all_candidates_are_in_a_bin_and_errors_are_shares(rows):
    p, correct = (np.array(column) for column in zip(*rows, strict=True))
    for equal_mass in (False, True):
        bins = reliability(p, correct, equal_mass=equal_mass)
        assert bins.count.sum() == len(rows)
        assert (bins.count * bins.probability).sum() == pytest.approx(p.sum())
        assert 0 <= bins.error <= 1
    assert reliability(p, correct, bins=1).error == pytest.approx(abs(p.mean() - correct.mean()))


def test_the_interval_of_the_calibration_error_holds_it_and_ends_at_zero():
    generator = np.random.default_rng(0)
    probabilities = generator.random(4_000)
    document = np.repeat(np.arange(200), 20)
    off = generator.random(4_000) < np.clip(probabilities + 0.2, 0, 1)
    low, high = error_interval(probabilities, off, document)
    assert 0.1 < low < quality(probabilities, off).ece < high < 0.25
    exact = generator.random(4_000) < probabilities
    low, high = error_interval(probabilities, exact, document)
    assert 0.0 <= low < quality(probabilities, exact).ece < high < 0.04
    assert error_interval(np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int64)) == (0.0, 0.0)
