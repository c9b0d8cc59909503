"""Fit the confidence in entities that are found in texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from extractors.inference.entity_confidence import EntityConfidence

# Precision of the normal prior around zero of the weights and the bias.
_PRIOR = 0.1


def fit_entity_confidence(features: NDArray[np.float64], right: NDArray[np.bool_]) -> EntityConfidence:
    """Fit the confidence by penalised maximum likelihood, no weight negative.

    Args:
        features: of found entities, shape (n, 4).
        right: which of them are annotated exactly so, shape (n,).
    """
    inputs = np.column_stack([features, np.ones(len(features))])

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = inputs @ parameters
        value = np.logaddexp(0.0, z).sum() - z[right].sum() + _PRIOR * np.square(parameters).sum() / 2
        return float(value), inputs.T @ (expit(z) - right) + _PRIOR * parameters

    count = inputs.shape[1]
    found = minimize(
        loss, np.zeros(count), jac=True, method="L-BFGS-B", bounds=[(0, None)] * (count - 1) + [(None, None)]
    )
    return EntityConfidence(*(round(float(value), 4) for value in found.x))
