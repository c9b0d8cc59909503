"""Maps from scores to probabilities: they rise, stay inside (0, 1), find the truth, and the better one is chosen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from extractors.calibration.probability_maps import MAPS, by_relation, choose_map, document_folds, isotonic, platt
from tests.extractors.calibration.made import candidates, drawn

SCORES = st.integers(-200, 200).map(lambda quarter: quarter / 4)
LISTED = st.lists(st.tuples(SCORES, st.booleans(), st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=40)


@pytest.mark.parametrize("name", MAPS)
@settings(deadline=None, max_examples=25)
@given(rows=LISTED)
def test_maps_rise_and_stay_inside(name, rows):
    fitted = MAPS[name](candidates(*map(list, zip(*rows, strict=True))))
    for relation in ("R1", "R2", "unseen"):
        scale, bias = fitted.lines_of([relation])[0]
        z = scale * np.linspace(-60, 60, 200) + bias
        values = fitted.on_line(z)
        assert ((values > 0) & (values < 1)).all()
        assert (np.diff(values) >= 0).all()
        moderate = np.abs(z) < 15  # farther out neighbours differ by less than a double holds
        assert (np.diff(values[moderate]) > 0).all(), "distinct scores keep their order"


def test_platt_finds_the_line():
    fitted = platt(drawn())
    assert fitted.scale == pytest.approx(1.5, abs=0.1)
    assert fitted.bias == pytest.approx(-2.0, abs=0.1)
    assert 0.999 < fitted.ceiling < 1


def test_relations_get_lines_of_their_own_and_rare_ones_less_so():
    fitted = by_relation(drawn(shifts=(0.0, 2.0)))
    assert fitted.lines["R2"][1] - fitted.lines["R1"][1] == pytest.approx(2.0, abs=0.2)
    few = drawn(20_000, shifts=(0.0, 0.0))
    rare = candidates(
        [*few.score, 0.0, 0.1], [*few.correct, True, True], [*np.zeros(len(few), int), 1, 1], [*few.document, 0, 1]
    )
    shrunk = by_relation(rare)
    own, all_of_them = expit(shrunk.lines["R2"][1]), expit(shrunk.bias)
    assert all_of_them < own < 0.5, "two facts move a relation, though not to where they alone would put it"


def test_a_relation_without_facts_keeps_the_line_of_all():
    assert set(by_relation(candidates([0, 1, 2, 3], [0, 1, 0, 1], [0, 0, 0, 1])).lines) == {"R1", "R2"}
    assert set(by_relation(candidates([0, 1, 2, 3], [0, 1, 1, 0], [0, 0, 0, 1])).lines) == {"R1"}


def test_isotonic_blocks_by_hand():
    # Sorted, the shares are 0, (1, 0 -> 1/2), 1 and 1: three blocks, with (k + 1/2) / (n + 1) = 1/4, 1/2, 5/6.
    made = candidates([0, 1, 2, 3, 4], [0, 1, 0, 1, 1])
    fitted = isotonic(made)
    z = made.on_lines(fitted)
    assert len(fitted.knots) == 3
    assert fitted.on_line(np.array([z[0], (z[1] + z[2]) / 2, (z[3] + z[4]) / 2])) == pytest.approx(
        [1 / 4, 1 / 2, 5 / 6], abs=1e-3
    )
    assert fitted.on_line(z[4:] + 100)[0] < 0.95, "far above all documents nothing is surer than they support"


@pytest.mark.parametrize(
    ("made", "winners"),
    [
        (drawn(), {"platt"}),
        (drawn(shifts=(-1.5, 1.5)), {"platt by relation"}),
        (drawn(truth=lambda score: np.where(score > 1, 2.0, -3.0)), {"isotonic", "isotonic by relation"}),
    ],
)
def test_the_map_that_fits_is_chosen(made, winners):
    assert choose_map(made).method in winners


def test_without_documents_to_hold_out_the_simplest_map_is_taken():
    assert choose_map(candidates([0, 1, 2], [0, 1, 1])).method == "platt"
    assert choose_map(candidates([], [])).method == "platt"


def test_folds_never_share_a_document():
    made = drawn(500, documents=7)
    parts = list(document_folds(made))
    assert sum(len(held_out) for _, held_out in parts) == len(made)
    for rest, held_out in parts:
        assert not set(rest.document) & set(held_out.document)
        assert rest.gold.sum() + held_out.gold.sum() == made.gold.sum()
