"""The fit of the confidence in entities, on made entities whose probabilities are known."""

import numpy as np
import pytest
from msgspec.structs import astuple

from extractors.calibration.entity_confidence_fit import fit_entity_confidence
from extractors.inference.entity_confidence import EntityConfidence


def made(truth: EntityConfidence, count: int, seed: int):
    generator = np.random.default_rng(seed)
    features = -generator.exponential(0.5, (count, 4))
    return features, generator.random(count) < truth.probabilities(features)


def test_the_fit_finds_what_made_the_entities():
    truth = EntityConfidence(2.0, 1.0, 0.5, 3.0, bias=2.0)
    fitted = fit_entity_confidence(*made(truth, 40_000, 1))
    assert astuple(fitted) == pytest.approx(astuple(truth), abs=0.15)


def test_a_feature_that_misleads_gets_no_weight():
    features, right = made(EntityConfidence(2.0, bias=1.0), 5_000, 2)
    features[:, 3] = np.where(right, -3.0, -0.1)
    assert fit_entity_confidence(features, right).type == 0.0


@pytest.mark.parametrize(("right", "least", "most"), [([], 0.5, 0.5), ([True] * 9, 0.7, 1), ([False] * 9, 0, 0.3)])
def test_few_or_equal_entities_can_be_fitted(right, least, most):
    fitted = fit_entity_confidence(np.zeros((len(right), 4)), np.array(right, bool))
    assert least <= fitted.probabilities(np.zeros((1, 4)))[0] <= most
