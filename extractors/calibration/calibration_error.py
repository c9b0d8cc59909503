"""Quality of probabilities: expected calibration error, Brier score and log-loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractors.evaluation.bootstrap import Interval, bootstrap, percentiles
from schemas import Record

BINS = 15
# Candidates below this probability are hardly ever facts, and there are so many that they hide all others.
FLOOR = 0.02

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


class Quality(Record, frozen=True):
    """The quality of the probabilities of some candidates.

    Attributes:
        candidates: their number.
        ece: expected calibration error with 15 bins of equal width.
        ece_equal_mass: the same with 15 bins that hold equally many candidates.
        brier: mean squared difference of probability and truth.
        log_loss: mean negative logarithm of the probability of what is true.
    """

    candidates: int
    ece: float
    ece_equal_mass: float
    brier: float
    log_loss: float


@dataclass(frozen=True)
class Reliability:
    """Bins of candidates of like probability, those that hold any; every array has shape (bins,).

    Attributes:
        probability: mean probability.
        share: share of right ones.
        count: number of candidates.
    """

    probability: NDArray[np.float64]
    share: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of probability and share, by candidate."""
        distance = np.abs(self.probability - self.share)
        return float((self.count * distance).sum() / max(1, self.count.sum()))


def reliability(probabilities: Floats, correct: Bools, bins: int = BINS, equal_mass: bool = False) -> Reliability:
    """Sort candidates into bins: of equal width over [0, 1], or of equally many candidates."""
    if equal_mass:
        at = np.empty(len(probabilities), np.int64)
        at[np.argsort(probabilities, kind="stable")] = (
            np.arange(len(probabilities)) * bins // max(1, len(probabilities))
        )
    else:
        at = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    count = np.bincount(at, minlength=bins)
    held = count > 0
    total = np.bincount(at, weights=probabilities, minlength=bins)[held]
    hits = np.bincount(at, weights=correct, minlength=bins)[held]
    return Reliability(total / count[held], hits / count[held], count[held])


def error_interval(probabilities: Floats, correct: Bools, document: NDArray[np.integer]) -> Interval:
    """Return the 95 % confidence interval of the expected calibration error with bins of equal width.

    Resampling adds what chance adds to every bin once more, so errors of resampled documents are too large on average.
    Their percentiles are therefore shifted such that their mean is the error itself, and end at zero.

    Args:
        probabilities, correct: of each candidate, shape (n,).
        document: to which document it belongs, shape (n,).
    """
    _, owner = np.unique(document, return_inverse=True)
    at = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    documents = int(owner.max(initial=-1)) + 1
    counts = np.zeros((documents, 2 * BINS))
    np.add.at(counts, (owner, at), probabilities - correct)
    np.add.at(counts, (owner, BINS + at), 1.0)
    outcomes = bootstrap(counts, _errors)[:, 0]
    low, high = percentiles(outcomes + reliability(probabilities, correct).error - outcomes.mean())
    return max(0.0, low), max(0.0, high)


def _errors(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the error of sums of differences and numbers of candidates by bin: shape (samples, 1)."""
    distance, number = np.abs(counts[:, :BINS]).sum(1), counts[:, BINS:].sum(1)
    error: NDArray[np.float64] = distance / np.maximum(1.0, number)
    return error[:, None]


def brier_score(probabilities: Floats, correct: Bools) -> float:
    """Return the mean squared difference of probability and truth."""
    return float(np.square(probabilities - correct).mean()) if len(correct) else 0.0


def log_loss(probabilities: Floats, correct: Bools) -> float:
    """Return the mean negative logarithm of the probability of what is true."""
    if not len(correct):
        return 0.0
    return float(-np.log(np.maximum(np.where(correct, probabilities, 1.0 - probabilities), 1e-12)).mean())


def quality(probabilities: Floats, correct: Bools) -> Quality:
    """Measure the probabilities of candidates."""
    return Quality(
        candidates=len(correct),
        ece=reliability(probabilities, correct).error,
        ece_equal_mass=reliability(probabilities, correct, equal_mass=True).error,
        brier=brier_score(probabilities, correct),
        log_loss=log_loss(probabilities, correct),
    )
