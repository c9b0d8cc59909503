"""How reliable the probabilities and thresholds of an extractor are on annotated documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import to_builtins

from extractors.calibration.calibration_error import FLOOR, Quality, quality
from extractors.calibration.candidates import Candidates
from extractors.calibration.thresholds import score_at
from extractors.evaluation.score import Score
from extractors.inference.confidence import PrecisionError, RelationCalibration

# Target precisions whose scores are stated.
TARGET_PRECISIONS = (0.8, 0.9, 0.95)


@dataclass(frozen=True)
class CalibrationReport:
    """Quality of the probabilities of all facts that are likely at all, and the scores at the calibrated thresholds.

    Attributes:
        quality: ECE and Brier score of the facts with a probability of at least `FLOOR`.
        thresholds: name and value of each threshold (None where relations have their own), and the scores with it.
    """

    quality: Quality
    thresholds: tuple[tuple[str, float | None, Score], ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain dictionaries."""
        return {
            **to_builtins(self.quality),
            "floor": FLOOR,
            "thresholds": {
                name: {"threshold": threshold, **score.to_dict()} for name, threshold, score in self.thresholds
            },
        }

    def __str__(self) -> str:
        q = self.quality
        lines = [
            f"probabilities of {q.candidates:,} facts from {FLOOR:g} on: ECE {q.ece:.4f} (equal width), "
            f"{q.ece_equal_mass:.4f} (equal mass), Brier {q.brier:.4f}, log-loss {q.log_loss:.4f}",
            f"{'calibrated thresholds':<32}{'threshold':>10}{'P':>8}{'R':>8}{'F1':>8}",
        ]
        for name, threshold, score in self.thresholds:
            place = "own" if threshold is None else f"{threshold:.4f}"
            ratios = (f"{100 * ratio:>8.2f}" for ratio in (score.precision, score.recall, score.f1))
            lines.append(f"{name:<34}{place:>8}{''.join(ratios)}")
        return "\n".join(lines)


def measure_reliability(candidates: Candidates, calibration: RelationCalibration) -> CalibrationReport:
    """Judge candidates whose score is their calibrated probability, and the thresholds of the calibration."""
    values = candidates.score
    likely = values >= FLOOR
    thresholds: list[tuple[str, float | None]] = [("best F1", calibration.relation_threshold)]
    if calibration.relation_thresholds:
        thresholds.append(("best F1 of each relation", None))
    for target in TARGET_PRECISIONS:
        try:
            thresholds.append((f"precision {target:g}", calibration.curve.threshold_for(target)))
        except PrecisionError:
            continue
    count = len(candidates.relations)
    return CalibrationReport(
        quality(values[likely], candidates.correct[likely]),
        tuple(
            (
                name,
                threshold,
                score_at(
                    calibration.thresholds(candidates.relations) if threshold is None else np.full(count, threshold),
                    values,
                    candidates,
                ),
            )
            for name, threshold in thresholds
        ),
    )
