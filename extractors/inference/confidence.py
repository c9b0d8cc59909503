"""The calibration of an extractor (`calibration.json`): from scores of relations to probabilities and facts.

`extractors.calibration` chooses all of it on documents that training did not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.special import expit, logit

from extractors.inference.entity_confidence import EntityConfidence
from schemas import Extraction, Record

# Above the last knot the documents support no higher probability: the rest of the slope only keeps an order.
EDGE_SLOPE = 0.01
# Scores farther out differ by less than a number can hold.
_FARTHEST = 500.0
# Finer differences of probabilities have no meaning.
DIGITS = 4


class PrecisionError(ValueError):
    """The target precision is not reached on the documents of the calibration; the message names the highest one."""


class Curve(Record, frozen=True):
    """Precision and recall at thresholds in ascending order, on the documents of the calibration.

    Attributes:
        threshold: facts with at least this probability are kept.
        precision, recall: of the facts that are kept.
        lower_bound: lower end of the one-sided confidence interval of the precision.
    """

    threshold: tuple[float, ...] = ()
    precision: tuple[float, ...] = ()
    recall: tuple[float, ...] = ()
    lower_bound: tuple[float, ...] = ()

    def threshold_for(self, precision: float) -> float:
        """Return the smallest threshold whose precision has a lower bound of at least `precision`.

        Raises:
            PrecisionError: there is none.
        """
        for threshold, lower_bound in zip(self.threshold, self.lower_bound, strict=True):
            if lower_bound >= precision:
                return threshold
        if not self.threshold:
            raise PrecisionError("this checkpoint holds no precision-recall curve: make it with 'factmill calibrate'")
        best = max(range(len(self.threshold)), key=lambda i: self.lower_bound[i])
        raise PrecisionError(
            f"precision {precision:g} cannot be guaranteed: on the documents of the calibration, its lower confidence "
            f"bound is at most {self.lower_bound[best]:.3f} (with recall {self.recall[best]:.3f}); ask for at most that"
        )


class RelationCalibration(Record, frozen=True):
    """How scores of relations become probabilities, and which of them are facts.

    A score s is first mapped linearly, z = scale * s + bias; some relations have a scale and bias of their own. Without
    knots the probability is sigmoid(z) (Platt's scaling). With knots its logit is interpolated between them (isotonic
    regression); below the first knot it has the slope of z. Either way it grows with the score and is inside (0, 1),
    until it is rounded to four digits.

    Attributes:
        method: name of the map.
        scale, bias: the line of all relations that have none of their own.
        lines: (scale, bias) by relation.
        knots: (z, logit of the probability), ascending in both.
        ceiling: factor of sigmoid(z), so that no probability is higher than the documents support.
        relation_threshold: facts have at least this probability.
        relation_thresholds: the thresholds of relations that have one of their own.
        curve: precision and recall at other thresholds, with one for all relations.
    """

    method: str = "platt"
    scale: float = 1.0
    bias: float = 0.0
    lines: dict[str, tuple[float, float]] = msgspec.field(default_factory=dict)
    knots: tuple[tuple[float, float], ...] = ()
    ceiling: float = 1.0
    relation_threshold: float = 0.5
    relation_thresholds: dict[str, float] = msgspec.field(default_factory=dict)
    curve: Curve = Curve()

    def probabilities(self, scores: NDArray[np.floating], relations: Sequence[str]) -> NDArray[np.float64]:
        """Return the probabilities of scores of shape (n, relations)."""
        lines = self.lines_of(relations)
        return self.on_line(scores * lines[:, 0] + lines[:, 1]).round(DIGITS)

    def lines_of(self, relations: Sequence[str]) -> NDArray[np.float64]:
        """Return scale and bias of each relation: shape (relations, 2)."""
        return np.array([self.lines.get(relation, (self.scale, self.bias)) for relation in relations]).reshape(-1, 2)

    def on_lines(
        self, score: NDArray[np.floating], relation: NDArray[np.integer], relations: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return the scores mapped linearly for their relations, which are given by number: shape (n,)."""
        scale, bias = self.lines_of(relations)[relation].T
        return np.asarray(scale * score + bias, np.float64)

    def on_line(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probabilities of scores that are already mapped linearly."""
        z = np.clip(z, -_FARTHEST, _FARTHEST)
        if not self.knots:
            return np.asarray(self.ceiling * expit(z), np.float64)
        at, logit = np.array(self.knots).T
        below, above = np.minimum(z - at[0], 0.0), np.maximum(z - at[-1], 0.0)
        return np.asarray(expit(np.interp(z, at, logit) + below + EDGE_SLOPE * above), np.float64)

    def scores_for(self, probabilities: NDArray[np.float64], relations: Sequence[str]) -> NDArray[np.float64]:
        """Return the score at which each relation has a probability: the inverse of the map, shape (relations,)."""
        with np.errstate(divide="ignore"):
            if self.knots:
                at, known = np.array(self.knots).T
                wanted = logit(np.clip(probabilities, 0.0, 1.0))
                below, above = np.minimum(wanted - known[0], 0.0), np.maximum(wanted - known[-1], 0.0)
                z = np.interp(wanted, known, at) + below + above / EDGE_SLOPE
            else:
                z = logit(np.clip(probabilities / self.ceiling, 0.0, 1.0))
        scale, bias = self.lines_of(relations).T
        return np.asarray((z - bias) / scale, np.float64)

    def keep(self, extraction: Extraction) -> Extraction:
        """Return an extraction with those of its facts that reach their threshold."""
        own, general = self.relation_thresholds, self.relation_threshold
        kept = tuple(fact for fact in extraction.facts if fact.probability >= own.get(fact.relation, general))
        return replace(extraction, facts=kept)

    def with_threshold(self, confidence: float) -> Self:
        """Return the calibration with one threshold for all relations."""
        return replace(self, relation_threshold=confidence, relation_thresholds={})

    def thresholds(self, relations: Sequence[str]) -> NDArray[np.float64]:
        """Return the threshold of each relation."""
        return np.array([self.relation_thresholds.get(relation, self.relation_threshold) for relation in relations])


class Calibration(RelationCalibration, frozen=True):
    """What was chosen on the dev set, `calibration.json`.

    The inherited fields hold for entities as the checkpoint gets them by itself: found in the text by a joint one,
    given to one that only relates.

    Attributes:
        mention_threshold, coreference_threshold: the alphas of section 3.1 of JEREX.
        repeated_threshold: a span of the same name as a mention is one too if it is at least so likely itself; one
            that is likely enough to be a mention by itself always is.
        evidence_threshold: share of a pair's attention from which a sentence supports a fact.
        entities: the confidence in found entities. With it, the probability of a fact between them is mapped from the
            logit of a product: that both entities are correct, times that they are related if they are. None: it is
            mapped from the score of the relation alone.
        given: the calibration of a joint checkpoint for given entities, which are correct; None: that of others.
        selected_on: which documents they were chosen on.
        figures: dev figures of the checkpoint, by the name of the document set.
    """

    mention_threshold: float = 0.5
    coreference_threshold: float = 0.5
    repeated_threshold: float = 1.0
    evidence_threshold: float = 0.2
    entities: EntityConfidence | None = None
    given: RelationCalibration | None = None
    selected_on: str = ""
    figures: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)

    def relating(self, given: bool) -> RelationCalibration:
        """Return how entities are related that were given, or found in the text."""
        return self.given or self if given else self

    def facts(
        self, scores: NDArray[np.float64], relations: Sequence[str], entity_probability: NDArray[np.float64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return the facts among pairs of entities: pair, relation and probability of each, sorted by the first two.

        Args:
            scores: of pairs and relations, shape (n, relations).
            entity_probability: that both entities of a pair are correct, shape (n,); None where entities are given.
        """
        part = self.relating(given=entity_probability is None)
        base = None if self.entities is None else self.given
        thresholds = part.thresholds(relations)
        # Most scores are far too low, which a comparison shows; only the rest is mapped.
        floors = part.scores_for(thresholds - 10.0**-DIGITS, relations)
        if entity_probability is not None and base is not None:
            floors = base.scores_for(expit(floors), relations)
        pair, relation = (scores >= floors).nonzero()
        score = scores[pair, relation]
        if entity_probability is not None and base is not None:
            score = logit(base.on_line(base.on_lines(score, relation, relations)) * entity_probability[pair])
        probability = part.on_line(part.on_lines(score, relation, relations)).round(DIGITS)
        kept = probability >= thresholds[relation]
        return pair[kept], relation[kept], probability[kept]

    def with_threshold(self, confidence: float) -> Self:
        """Return the calibration with one threshold for all relations, whether entities are given or not."""
        return replace(super().with_threshold(confidence), given=self.given and self.given.with_threshold(confidence))

    def at_least(self, confidence: float) -> Calibration:
        """Return the calibration with cuts of at most a confidence: all facts above it are found."""

        def lowered(part: RelationCalibration) -> dict[str, object]:
            own = {relation: min(cut, confidence) for relation, cut in part.relation_thresholds.items()}
            return {"relation_threshold": min(part.relation_threshold, confidence), "relation_thresholds": own}

        given = self.given and replace(self.given, **lowered(self.given))
        return replace(self, **lowered(self), given=given)

    def at_precision(self, precision: float) -> Calibration:
        """Return the calibration with the smallest threshold that reaches a precision, one for all relations.

        Raises:
            PrecisionError: there is none.
        """
        given = self.given and self.given.with_threshold(self.given.curve.threshold_for(precision))
        return replace(self.with_threshold(self.curve.threshold_for(precision)), given=given)
