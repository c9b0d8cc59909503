"""How surely an entity found in a text is right: has exactly the mentions and the type that an annotator would mark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from schemas import Record

Floats = NDArray[np.float64]

# Smaller probabilities say nothing more.
_LEAST = 1e-4


class EntityConfidence(Record, frozen=True):
    """A logistic regression on what the network says about the parts of an entity.

    Attributes:
        mentions, cohesion, separation, type: weights of the clues, see `cluster_clues` and `type_clues`; none is
            negative, so that nothing is less sure for a part that is surer.
        bias: what is added to their weighted sum.
    """

    mentions: float = 0.0
    cohesion: float = 0.0
    separation: float = 0.0
    type: float = 0.0
    bias: float = 0.0

    def probabilities(self, clues: Floats) -> Floats:
        """Return the probability that each entity is right: shape (n,) from clues of shape (n, 4)."""
        weights = np.array([self.mentions, self.cohesion, self.separation, self.type])
        return np.asarray(expit((clues * weights).sum(1) + self.bias), np.float64)


def cluster_clues(probability: Floats, similarity: Floats, clusters: list[list[int]]) -> Floats:
    """Return the first three clues of each cluster of mentions: shape (clusters, 3).

    They are logarithms: of the probability that all its mentions are some, taken as independent; of the least
    similarity inside it; of one minus the greatest similarity of one of its mentions and another cluster's.

    Args:
        probability: that each mention is one, shape (m,).
        similarity: as it was clustered, shape (m, m).
        clusters: the mentions of each, every mention in one of them.
    """
    cluster = np.empty(len(probability), np.int64)
    for number, members in enumerate(clusters):
        cluster[members] = number
    same = cluster[:, None] == cluster[None, :]
    least = np.where(same, similarity, 1.0).min(1, initial=1.0)
    greatest = np.where(same, 0.0, similarity).max(1, initial=0.0)
    mentions, cohesion, separation = np.zeros(len(clusters)), np.zeros(len(clusters)), np.zeros(len(clusters))
    np.add.at(mentions, cluster, _log(probability))
    np.minimum.at(cohesion, cluster, _log(least))
    np.minimum.at(separation, cluster, _log(1.0 - greatest))
    return np.stack([mentions, cohesion, separation], 1)


def type_clues(probability: Floats) -> Floats:
    """Return the last clue of entities: the logarithms of the probabilities of their types, shape (n,)."""
    return _log(probability)


def _log(probability: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(probability, _LEAST)), np.float64)
