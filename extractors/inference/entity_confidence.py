"""Confidence in an entity found in a text: the probability that an annotator would mark exactly this entity.

An entity is correct if its mentions and its type are exactly those of an annotated one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from schemas import Record

Floats = NDArray[np.float64]

# Probabilities are clipped from below before their logarithm is taken.
_LEAST = 1e-4


class EntityConfidence(Record, frozen=True):
    """A logistic regression on four features of an entity, see `cluster_features` and `type_features`.

    Attributes:
        mentions, cohesion, separation, type: weights of the features. None is negative, so that confidence grows with
            the confidence in each part.
        bias: added to the weighted sum.
    """

    mentions: float = 0.0
    cohesion: float = 0.0
    separation: float = 0.0
    type: float = 0.0
    bias: float = 0.0

    def probabilities(self, features: Floats) -> Floats:
        """Return the probability that each entity is correct: from features of shape (n, 4) to shape (n,)."""
        weights = np.array([self.mentions, self.cohesion, self.separation, self.type])
        return np.asarray(expit((features * weights).sum(1) + self.bias), np.float64)


def cluster_features(probability: Floats, similarity: Floats, clusters: list[list[int]]) -> Floats:
    """Return the first three features of each cluster of mentions: shape (clusters, 3).

    They are logarithms: of the probability that all mentions are mentions, taken as independent; of the least
    similarity inside the cluster; of one minus the greatest similarity to a mention of another cluster.

    Args:
        probability: that each mention is a mention, shape (m,).
        similarity: as it was clustered, shape (m, m).
        clusters: the mentions of each cluster; each mention belongs to one.
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


def type_features(probability: Floats) -> Floats:
    """Return the fourth feature of entities: the logarithms of the probabilities of their types, shape (n,)."""
    return _log(probability)


def _log(probability: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(probability, _LEAST)), np.float64)
