"""Confidence intervals by the bootstrap over documents (Efron and Tibshirani 1993, chapter 13).

Facts of one document are right or wrong together, so documents are resampled, not facts: as many as there are, drawn
with replacement, and the figure is computed from their counts. The interval is between the 2.5th and the 97.5th
percentile of the outcomes. The draws are fixed, so the same counts give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractors.evaluation.score import Score, UnseenScore

SAMPLES = 2_000
LEVEL = 0.95
_SEED = 20_240_101
# Numbers of the resampled documents that are held at once.
_HELD = 1 << 22

Floats = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """The 95 % confidence intervals of precision, recall and F1, each as (low, high)."""

    precision: Interval
    recall: Interval
    f1: Interval

    def to_dict(self) -> dict[str, list[float]]:
        """Return the intervals under plain names."""
        return {f"{name}_interval": list(getattr(self, name)) for name in ("precision", "recall", "f1")}


def score_interval(documents: Sequence[Score | UnseenScore]) -> ScoreInterval:
    """Return the intervals of the micro scores of some documents, one score each."""
    rows = [_counts(score) for score in documents]
    outcomes = bootstrap(np.array(rows, np.float64).reshape(-1, 4), _ratios)
    return ScoreInterval(*(percentiles(outcomes[:, column]) for column in range(3)))


def bootstrap(counts: Floats, figures: Callable[[Floats], Floats], samples: int = SAMPLES) -> Floats:
    """Return figures of resampled documents: shape (samples, figures).

    Args:
        counts: what is counted in each document, shape (documents, counts).
        figures: from the counts of all documents together, shape (samples, counts), to the figures.
        samples: how often documents are drawn.
    """
    documents = len(counts)
    if not documents:
        return figures(np.zeros((1, counts.shape[1])))
    generator = np.random.default_rng(_SEED)
    even = np.full(documents, 1 / documents)
    outcomes = []
    step = max(1, _HELD // documents)
    for first in range(0, samples, step):
        times = generator.multinomial(documents, even, size=min(step, samples - first))
        outcomes.append(figures(times.astype(np.float64) @ counts))
    return np.concatenate(outcomes)


def percentiles(outcomes: Floats) -> Interval:
    """Return the ends of the interval that holds `LEVEL` of the outcomes."""
    low, high = np.quantile(outcomes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _counts(score: Score | UnseenScore) -> tuple[int, int, int, int]:
    if isinstance(score, UnseenScore):
        return score.all.gold, score.all.predicted, score.all.correct, score.seen
    return score.gold, score.predicted, score.correct, 0


def _ratios(counts: Floats) -> Floats:
    """Return precision, recall and F1 of counts of gold, predicted, correct and seen facts: shape (samples, 3)."""
    gold, predicted, correct, seen = counts.T
    precision = _divided(correct - seen, predicted - seen)
    recall = _divided(correct, gold)
    return np.stack([precision, recall, _divided(2 * precision * recall, precision + recall)], 1)


def _divided(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
