"""Counts of gold, predicted and correct items, and the precision, recall and F1 that follow from them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set
from dataclasses import dataclass
from math import fsum


def harmonic_mean(precision: float, recall: float) -> float:
    """Return F1, which is 0 when precision and recall are both 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """Micro counts; a ratio without a denominator is 0, so nothing predicted is precision 0."""

    gold: int = 0
    predicted: int = 0
    correct: int = 0

    @classmethod
    def of(cls, gold: Set[Hashable], predicted: Set[Hashable]) -> Score:
        """Compare two sets of items of one document."""
        return cls(len(gold), len(predicted), len(gold & predicted))

    def __add__(self, other: Score) -> Score:
        return Score(self.gold + other.gold, self.predicted + other.predicted, self.correct + other.correct)

    @property
    def precision(self) -> float:
        """Share of the predicted items that are right."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold items that were found."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return harmonic_mean(self.precision, self.recall)

    def to_dict(self) -> dict[str, float]:
        """Return ratios and counts under plain names."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "gold": self.gold,
            "predicted": self.predicted,
            "correct": self.correct,
        }


@dataclass(frozen=True, slots=True)
class UnseenScore:
    """Ign F1: `seen` of the correct facts occur in the training data; they leave the precision, not the recall.

    This is the arithmetic of DocRED's official evaluator.
    """

    all: Score
    seen: int

    @property
    def precision(self) -> float:
        """Share of right facts among the predicted ones, both without the correct facts seen in training."""
        predicted = self.all.predicted - self.seen
        return (self.all.correct - self.seen) / predicted if predicted else 0.0

    @property
    def recall(self) -> float:
        """The ordinary recall over all gold facts."""
        return self.all.recall

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return harmonic_mean(self.precision, self.recall)

    def to_dict(self) -> dict[str, float]:
        """Return ratios and counts under plain names."""
        return {**self.all.to_dict(), "precision": self.precision, "f1": self.f1, "seen": self.seen}


@dataclass(frozen=True, slots=True)
class Average:
    """Macro average: the unweighted mean over labels, with as many labels as `labels` says."""

    precision: float
    recall: float
    f1: float
    labels: int

    @classmethod
    def of(cls, scores: Mapping[str, Score]) -> Average:
        """Average over the labels that occur among the gold or the predicted items, in whatever order they come."""
        present = [score for score in scores.values() if score.gold or score.predicted]
        count = len(present)
        if not count:
            return cls(0.0, 0.0, 0.0, 0)
        return cls(
            fsum(score.precision for score in present) / count,
            fsum(score.recall for score in present) / count,
            fsum(score.f1 for score in present) / count,
            count,
        )

    def to_dict(self) -> dict[str, float]:
        """Return the means under plain names."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "labels": self.labels}
