"""Thresholds of facts: for the best F1 of all relations or of each, and for a target precision."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.special import betaincinv

from extractors.calibration.calibration_error import FLOOR
from extractors.calibration.candidates import Candidates
from extractors.calibration.probability_maps import document_folds
from extractors.evaluation.best_threshold import best_threshold
from extractors.evaluation.score import Score
from extractors.inference.confidence import DIGITS, Curve, RelationCalibration

# A relation with fewer gold facts is cut where all are.
MIN_FACTS = 30
# Confidence that a stated precision is reached on other documents.
CONFIDENCE = 0.9
CURVE_POINTS = 200


def with_thresholds(calibration: RelationCalibration, candidates: Candidates) -> RelationCalibration:
    """Return the calibration with its cuts and curve, chosen on candidates.

    Relations get cuts of their own only if that raises F1 on held-out documents.
    """
    probabilities = candidates.probabilities(calibration)
    own = relation_thresholds(probabilities, candidates)
    if own and not _own_cuts_help(calibration, candidates):
        own = {}
    return replace(
        calibration,
        relation_threshold=global_threshold(probabilities, candidates),
        relation_thresholds=own,
        curve=precision_recall_curve(probabilities, candidates),
    )


def global_threshold(probabilities: NDArray[np.float64], candidates: Candidates) -> float:
    """Return the cut with the best F1 over all relations."""
    return best_threshold(probabilities, candidates.correct, int(candidates.gold.sum())).value


def relation_thresholds(probabilities: NDArray[np.float64], candidates: Candidates) -> dict[str, float]:
    """Return the cut with the best F1 of each relation that has at least `MIN_FACTS` gold facts."""
    gold = candidates.gold.sum(0)
    likely = probabilities >= FLOOR
    cuts = {}
    for number in np.flatnonzero(gold >= MIN_FACTS).tolist():
        chosen = likely & (candidates.relation == number)
        cuts[candidates.relations[number]] = best_threshold(
            probabilities[chosen], candidates.correct[chosen], int(gold[number])
        ).value
    return cuts


def score_at(cuts: NDArray[np.float64], probabilities: NDArray[np.float64], candidates: Candidates) -> Score:
    """Return the score over all facts with a cut for each relation, shape (relations,)."""
    kept = probabilities >= cuts[candidates.relation]
    return Score(int(candidates.gold.sum()), int(kept.sum()), int((kept & candidates.correct).sum()))


def _own_cuts_help(calibration: RelationCalibration, candidates: Candidates) -> bool:
    one, own = Score(), Score()
    for part, rest in document_folds(candidates):
        probabilities = part.probabilities(calibration)
        cut = global_threshold(probabilities, part)
        chosen = replace(
            calibration, relation_threshold=cut, relation_thresholds=relation_thresholds(probabilities, part)
        )
        held_out = rest.probabilities(calibration)
        one += score_at(np.full(len(rest.relations), cut), held_out, rest)
        own += score_at(chosen.thresholds(rest.relations), held_out, rest)
    return own.f1 > one.f1


def precision_recall_curve(probabilities: NDArray[np.float64], candidates: Candidates) -> Curve:
    """Return precision and recall at cuts that keep from one fact to all likely ones, in even steps of their number."""
    likely = np.flatnonzero(probabilities >= FLOOR)
    values = np.sort(probabilities[likely])
    if not len(values):
        return Curve()
    places = np.linspace(0, len(values) - 1, min(CURVE_POINTS, len(values))).round().astype(int)
    cuts = np.unique(values[places])
    # Kept and correct facts at each threshold, by document: a fact counts for all thresholds up to its probability.
    reached = np.searchsorted(cuts, probabilities[likely], side="right") - 1
    shape = (len(candidates.gold), len(cuts))
    kept, right = np.zeros(shape), np.zeros(shape)
    inside = reached >= 0
    cell = (candidates.document[likely][inside], reached[inside])
    np.add.at(kept, cell, 1)
    np.add.at(right, cell, candidates.correct[likely][inside])
    kept, right = (np.cumsum(counts[:, ::-1], 1)[:, ::-1] for counts in (kept, right))
    precision = right.sum(0) / kept.sum(0)
    recall = right.sum(0) / max(1, int(candidates.gold.sum()))
    return Curve(*(_rounded(values) for values in (cuts, precision, recall, lower_bounds(right, kept))))


def lower_bounds(right: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lower end of the one-sided confidence interval of precisions, after Korn and Graubard (1998).

    That is the interval of Clopper and Pearson for as many independent facts as tell as much as these: facts of one
    document are right or wrong together more often than facts of different ones.

    Args:
        right, kept: right and all facts of each document, shape (documents, cuts).
    """
    count, hits = kept.sum(0), right.sum(0)
    precision = hits / np.maximum(count, 1)
    documents = len(kept)
    spread = np.square(right - precision * kept).sum(0) * documents / max(1, documents - 1)
    independent = count * precision * (1 - precision)
    effect = np.maximum(1.0, np.divide(spread, independent, out=np.ones_like(spread), where=independent > 0))
    n, k = count / effect, hits / effect
    low: NDArray[np.float64] = np.where(k > 0, betaincinv(np.maximum(k, 1e-9), n - k + 1, 1 - CONFIDENCE), 0.0)
    return low


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.round(values, DIGITS).tolist())
