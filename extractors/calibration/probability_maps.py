"""Maps from scores to probabilities, and the choice between them by cross-validation over documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from extractors.calibration.calibration_error import log_loss
from extractors.calibration.candidates import Candidates
from extractors.inference.confidence import RelationCalibration

Map = RelationCalibration
Floats = NDArray[np.float64]

FOLDS = 5
# A relation's own line, z' = (1 + a) z + b over the line of all, has the prior a ~ N(0, 0.3 ** 2), b ~ N(0, 1): with
# few facts it stays what it is for all relations.
_PRIOR = (0.3, 1.0)
_NO_PRIOR = (1e3, 1e3)
# No line may fall: a higher score never means a lower probability.
_LEAST_SCALE = 1e-3
_LEAST_FACTOR = 0.1
_STEPS = 40


def platt(candidates: Candidates) -> Map:
    """Fit one line for all relations: p = sigmoid(scale * score + bias), Platt's scaling or temperature with a bias."""
    score, truth = candidates.score, candidates.correct
    if not truth.any() or truth.all():  # nothing to fit a slope to: the share of right ones, as far as it is known
        return Map(scale=_LEAST_SCALE, bias=_rounded(logit((truth.sum() + 0.5) / (len(truth) + 1))))
    centre, spread = float(score.mean()), float(score.std()) or 1.0
    # Platt's targets: as if one more candidate on either side had been the other way, so that no slope is infinite.
    hits, misses = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (hits + 1) / (hits + 2), 1 / (misses + 2))
    lines = _fit_lines((score - centre) / spread, np.zeros(len(score), np.int64), target, 1, _NO_PRIOR, _LEAST_SCALE)
    scale, bias = lines[0]
    return Map(
        scale=_rounded(scale / spread),
        bias=_rounded(bias - scale * centre / spread),
        # No probability exceeds that of one more fact, wrong half the time, among those of the documents.
        ceiling=_rounded((hits + 0.5) / (hits + 1)),
    )


def by_relation(candidates: Candidates) -> Map:
    """Fit a line for every relation that has a gold fact, shrunk towards the line of all relations."""
    pooled = platt(candidates)
    z, target = candidates.on_lines(pooled), candidates.correct.astype(np.float64)
    count = len(candidates.relations)
    found = np.bincount(candidates.relation, weights=candidates.correct, minlength=count)
    lines = _fit_lines(z, candidates.relation, target, count, _PRIOR, _LEAST_FACTOR)
    own = {
        relation: (_rounded(factor * pooled.scale), _rounded(factor * pooled.bias + shift))
        for relation, (factor, shift), hits in zip(candidates.relations, lines.tolist(), found, strict=True)
        if hits
    }
    return replace(pooled, method="platt by relation", lines=own)


def isotonic(candidates: Candidates, lines: Callable[[Candidates], Map] = platt) -> Map:
    """Fit a rising map by pooling adjacent violators, over scores on the given lines.

    Every block of the regression becomes a knot at its mean, with the probability (k + 1/2) / (n + 1) for k right ones
    of n, so that none is 0 or 1; blocks are joined where that breaks the order.
    """
    base = lines(candidates)
    method = base.method.replace("platt", "isotonic")
    if not len(candidates):
        return replace(base, method=method)
    z = candidates.on_lines(base)
    order = np.argsort(z, kind="stable")
    z, truth = z[order], candidates.correct[order].astype(np.float64)
    # Equal scores are one observation.
    first = np.flatnonzero(np.append(True, z[1:] != z[:-1]))
    size, hits = np.diff(np.append(first, len(z))).astype(np.float64), np.add.reduceat(truth, first)
    mean = z[first]
    for smooth in (False, True):
        value = (hits + 0.5) / (size + 1) if smooth else hits / size
        block = isotonic_regression(value, weights=size).blocks[:-1]
        mean = np.add.reduceat(mean * size, block) / np.add.reduceat(size, block)
        size, hits = np.add.reduceat(size, block), np.add.reduceat(hits, block)
    value = (hits + 0.5) / (size + 1)
    # Joined blocks hold more candidates, which may once more move them a little over their neighbours.
    value = isotonic_regression(value, weights=size).x
    knots = _strictly_rising(np.round(mean, 4), np.round(logit(value), 4))
    return replace(base, method=method, knots=knots)


MAPS: dict[str, Callable[[Candidates], Map]] = {
    "platt": platt,
    "platt by relation": by_relation,
    "isotonic": isotonic,
    "isotonic by relation": partial(isotonic, lines=by_relation),
}


def choose_map(candidates: Candidates) -> Map:
    """Return the map with the lowest log-loss on held-out documents, fitted on all of them.

    With fewer than two documents nothing can be held out, and the simplest map is taken.
    """
    losses = held_out_losses(candidates)
    return MAPS[min(losses, key=lambda name: losses[name])](candidates)


def held_out_losses(candidates: Candidates) -> dict[str, float]:
    """Return the mean log-loss of each map on documents that it was not fitted on."""
    folds = list(document_folds(candidates))
    return {
        name: sum(_log_loss(fit(part), rest) * len(rest) for part, rest in folds) / max(1, len(candidates))
        for name, fit in MAPS.items()
    }


def document_folds(candidates: Candidates) -> Iterator[tuple[Candidates, Candidates]]:
    """Yield (all but a part of the documents, that part): candidates of one document are never in both."""
    documents = np.arange(len(candidates.gold))
    count = min(FOLDS, len(documents))
    for fold in range(count if count > 1 else 0):
        held_out = documents % count == fold
        yield candidates.of_documents(~held_out), candidates.of_documents(held_out)


def _fit_lines(
    z: Floats,
    group: NDArray[np.integer],
    target: Floats,
    groups: int,
    prior: tuple[float, float],
    least: float,
) -> Floats:
    """Fit sigmoid(line(z)) to each group by Newton's method, all groups at once; shape (groups, 2): factor and shift.

    The loss is the log-loss plus the negative logarithm of a normal prior around the factor 1 and the shift 0.
    """
    lines = np.tile([1.0, 0.0], (groups, 1))
    precision = 1.0 / np.square(prior)

    def total(of: NDArray[np.floating]) -> Floats:
        return np.bincount(group, of, groups).astype(np.float64)

    def losses(at: Floats) -> Floats:
        value = at[group, 0] * z + at[group, 1]
        surprise: Floats = precision * np.square(at - [1.0, 0.0]) / 2
        each: Floats = total(np.logaddexp(0.0, value) - target * value) + surprise.sum(1)
        return each

    current = losses(lines)
    tolerance = 1e-9 * max(1.0, float(current.max()))
    for _ in range(_STEPS):
        p = expit(lines[group, 0] * z + lines[group, 1])
        error, weight = p - target, p * (1 - p)
        gradient = np.stack([total(error * z), total(error)], 1) + precision * (lines - [1.0, 0.0])
        a, b, c = total(weight * z * z) + precision[0], total(weight * z), total(weight) + precision[1]
        step = np.stack([c * gradient[:, 0] - b * gradient[:, 1], a * gradient[:, 1] - b * gradient[:, 0]], 1)
        step /= np.maximum(a * c - b * b, 1e-12)[:, None]
        # Halve the step of each group until its loss does not rise.
        for _ in range(_STEPS):
            proposed = losses(lines - step)
            worse = proposed > current + tolerance
            if not worse.any():
                break
            step[worse] /= 2
        lines = lines - step
        gain, current = current - proposed, proposed
        if gain.max() <= tolerance:
            break
    lines[:, 0] = np.maximum(lines[:, 0], least)
    return lines


def _log_loss(fitted: Map, candidates: Candidates) -> float:
    return log_loss(fitted.on_line(candidates.on_lines(fitted)), candidates.correct)


def _strictly_rising(at: Floats, value: Floats) -> tuple[tuple[float, float], ...]:
    knots: list[tuple[float, float]] = []
    for place, height in zip(at.tolist(), value.tolist(), strict=True):
        if not knots or (place > knots[-1][0] and height > knots[-1][1]):
            knots.append((place, height))
    return tuple(knots)


def _rounded(value: float) -> float:
    """Six significant digits are finer than any document set supports."""
    return float(f"{value:.6g}")
