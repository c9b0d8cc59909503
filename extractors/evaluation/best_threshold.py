"""The threshold with the best F1, found in the list of facts sorted by probability (HIN, section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from extractors.evaluation.score import Score


@dataclass(frozen=True, slots=True)
class Threshold:
    """Facts with a probability of at least `value` are kept; `score` is what that gives."""

    value: float
    score: Score


def best_threshold(probabilities: ArrayLike, correct: ArrayLike, total_gold: int) -> Threshold:
    """Return the cut with the highest F1 over all candidate facts.

    Only cuts between different probabilities are considered, since equal ones cannot be told apart later. Of several
    best cuts the highest is taken, which keeps the fewest facts. Without candidates the cut is 1.

    Args:
        probabilities: one per candidate fact, in any order, shape (n,).
        correct: whether the candidate is a gold fact, shape (n,).
        total_gold: number of gold facts, including those that are no candidate.

    Raises:
        ValueError: the shapes differ, a probability is not a number, or more candidates are correct than gold exists.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    hits = np.asarray(correct, dtype=bool)
    if values.ndim != 1 or values.shape != hits.shape:
        raise ValueError(f"probabilities have shape {values.shape} and correct {hits.shape}: pass two equal lists")
    if np.isnan(values).any():
        raise ValueError(f"probability {int(np.flatnonzero(np.isnan(values))[0])} is not a number")
    if hits.sum() > total_gold:
        raise ValueError(f"{int(hits.sum())} candidates are correct, more than the {total_gold} gold facts")
    if not values.size:
        return Threshold(1.0, Score(gold=total_gold))
    order = np.argsort(-values, kind="stable")
    values, found = values[order], np.cumsum(hits[order])
    last_of_ties = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    # F1 = 2 correct / (predicted + gold); the smallest index of the maximum is the highest cut.
    f1 = 2 * found[last_of_ties] / (last_of_ties + 1 + total_gold)
    cut = int(last_of_ties[np.argmax(f1)])
    return Threshold(float(values[cut]), Score(total_gold, cut + 1, int(found[cut])))
