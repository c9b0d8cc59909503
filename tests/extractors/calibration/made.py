"""Candidate facts drawn from known probabilities."""

import numpy as np
from scipy.special import expit

from extractors.calibration import Candidates


def candidates(scores, correct, relations=None, documents=None, names=("R1", "R2"), lost=0):
    """Candidates as listed; `lost` gold facts of the first document and relation are no candidates."""
    scores = np.asarray(scores, float)
    correct = np.asarray(correct, bool)
    relations = np.zeros(len(scores), int) if relations is None else np.asarray(relations)
    documents = np.zeros(len(scores), int) if documents is None else np.asarray(documents)
    gold = np.zeros((documents.max(initial=0) + 1, len(names)), int)
    np.add.at(gold, (documents[correct], relations[correct]), 1)
    gold[0, 0] += lost
    return Candidates(scores, relations, correct, documents, gold, tuple(names))


def drawn(count=20_000, documents=40, seed=0, shifts=(0.0, 0.0), truth=lambda score: 1.5 * score - 2.0):
    """Candidates whose facts are right with the probability sigmoid(truth(score) + shift of the relation)."""
    random = np.random.default_rng(seed)
    scores = random.normal(0.0, 2.0, count)
    relations = random.integers(0, len(shifts), count)
    correct = random.random(count) < expit(truth(scores) + np.array(shifts)[relations])
    names = [f"R{number + 1}" for number in range(len(shifts))]
    return candidates(scores, correct, relations, np.sort(random.integers(0, documents, count)), names)
