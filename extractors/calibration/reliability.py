"""What the probabilities and cuts of an extractor turn out to be worth on annotated documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import to_builtins

from extractors.calibration.calibration_error import FLOOR, Quality, quality
from extractors.calibration.candidates import Candidates
from extractors.calibration.thresholds import score_at
from extractors.evaluation.score import Score
from extractors.inference.confidence import PrecisionError, RelationCalibration

# The wished precisions whose outcome is stated.
WISHES = (0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Trust:
    """Quality of the probabilities of all facts that are likely at all, and the scores at the calibrated cuts.

    Attributes:
        quality: ECE and Brier score of the facts with a probability of at least `FLOOR`.
        cuts: name of the cut, its place (None where relations have their own), and what it gives.
    """

    quality: Quality
    cuts: tuple[tuple[str, float | None, Score], ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain dictionaries."""
        return {
            **to_builtins(self.quality),
            "floor": FLOOR,
            "cuts": {name: {"cut": cut, **score.to_dict()} for name, cut, score in self.cuts},
        }

    def __str__(self) -> str:
        q = self.quality
        lines = [
            f"probabilities of {q.candidates:,} facts from {FLOOR:g} on: ECE {q.ece:.4f} (equal width), "
            f"{q.ece_equal_mass:.4f} (equal mass), Brier {q.brier:.4f}, log-loss {q.log_loss:.4f}",
            f"{'calibrated cuts':<34}{'cut':>8}{'P':>8}{'R':>8}{'F1':>8}",
        ]
        for name, cut, score in self.cuts:
            place = "own" if cut is None else f"{cut:.4f}"
            ratios = (f"{100 * ratio:>8.2f}" for ratio in (score.precision, score.recall, score.f1))
            lines.append(f"{name:<34}{place:>8}{''.join(ratios)}")
        return "\n".join(lines)


def measure_trust(candidates: Candidates, calibration: RelationCalibration) -> Trust:
    """Judge candidates whose score is their calibrated probability, and the cuts of the calibration."""
    values = candidates.score
    likely = values >= FLOOR
    cuts: list[tuple[str, float | None]] = [("best F1", calibration.relation_threshold)]
    if calibration.relation_thresholds:
        cuts.append(("best F1 of each relation", None))
    for wish in WISHES:
        try:
            cuts.append((f"precision {wish:g}", calibration.curve.cut_for(wish)))
        except PrecisionError:
            continue
    count = len(candidates.relations)
    return Trust(
        quality(values[likely], candidates.correct[likely]),
        tuple(
            (
                name,
                cut,
                score_at(
                    calibration.cuts(candidates.relations) if cut is None else np.full(count, cut), values, candidates
                ),
            )
            for name, cut in cuts
        ),
    )
