import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extractors.training.label_quality import LEAST, sharpened, shifted
from extractors.training.pseudo_labels import add_pseudo_labels
from schemas import Fact
from tests.extractors.tiny import annotated, extractor

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(values=PROBABILITIES, mean=st.floats(0.05, 0.95))
def test_the_mean_is_the_quality_and_the_order_is_the_teachers(values, mean):
    found = shifted(np.array(values), mean)
    assert found.mean() == pytest.approx(mean, abs=2 * LEAST)
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


def test_labels_of_one_quality_are_adjusted_together():
    document = replace(
        annotated(), facts=(Fact(0, "R1", 1, 0.7), Fact(1, "R1", 0, 0.7), Fact(0, "R3", 2, 0.9), Fact(2, "R3", 0))
    )
    [found] = sharpened([document], {(0, 0): 0.8, (0, 1): 0.1, (0, 2): 0.2})
    first, second, other, certain = (fact.probability for fact in found.facts)
    assert first > 0.7 > second
    assert first + second == pytest.approx(1.4, abs=1e-3)
    assert other == pytest.approx(0.9, abs=1e-3)  # alone, it is as right as its quality says
    assert certain == 1.0


def test_teachers_adjust_labels_of_known_quality():
    documents = [replace(annotated("a"), facts=(Fact(0, "R1", 1, 0.6), Fact(0, "R3", 2, 1.0), Fact(1, "R3", 2, 0.6)))]
    [found] = add_pseudo_labels(documents, [extractor("atlop", loss="adaptive-threshold", joint=True)], 2.0)
    first, certain, second = (fact.probability for fact in found.facts)
    assert certain == 1.0
    assert first + second == pytest.approx(1.2, abs=1e-3)
    assert first != second
