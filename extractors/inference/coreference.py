"""Coreference: cluster mentions by average linkage, under the constraints of the source.

JEREX (section 3.1 b) takes complete linkage, where one unlike pair of many keeps two clusters apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from schemas import Mention

# What the source says: two mentions are one entity, which is joined first, or two, which no mean makes up for.
ALWAYS = 2.0
NEVER = -1e9


def constrain(similarity: NDArray[np.float64], mentions: Sequence[Mention]) -> None:
    """Overwrite similarities that the source decides.

    Mentions with a common knowledge-base id are one entity; with different ids, or different given types, two.

    Args:
        similarity: symmetric, shape (m, m), changed in place.
        mentions: the mentions, with ids and types where the source gives them.
    """
    same = _share(similarity.shape[0], [mention.kb_ids for mention in mentions])
    known = np.array([bool(mention.kb_ids) for mention in mentions], bool)
    types = np.array([mention.type or "" for mention in mentions], str)
    typed = types != ""
    both_known = known[:, None] & known[None, :]
    clash = (typed[:, None] & typed[None, :]) & (types[:, None] != types[None, :])
    similarity[both_known & ~same] = NEVER
    similarity[clash] = NEVER
    similarity[same & ~clash] = ALWAYS


def _share(count: int, ids: Sequence[tuple[str, ...]]) -> NDArray[np.bool_]:
    names = sorted({name for group in ids for name in group})
    column = {name: position for position, name in enumerate(names)}
    holds = np.zeros((count, len(names)), np.float32)
    for row, group in enumerate(ids):
        holds[row, [column[name] for name in group]] = 1.0
    shared: NDArray[np.bool_] = (holds @ holds.T) > 0
    return shared


def cluster(similarity: NDArray[np.float64], threshold: float) -> list[list[int]]:
    """Join the two clusters with the highest mean similarity of their mentions, as long as it is at least `threshold`.

    Args:
        similarity: symmetric, in [0, 1] but for what `constrain` overwrote, shape (m, m).
        threshold: alpha^c.

    Returns:
        Indices of each cluster's mentions, ascending; clusters in the order of their first mention.
    """
    count = similarity.shape[0]
    if count < 2:
        return [[index] for index in range(count)]
    upper = np.triu_indices(count, 1)
    distance = ALWAYS - similarity[upper]
    labels = fcluster(linkage(distance, method="average"), t=ALWAYS - threshold, criterion="distance")
    clusters: dict[int, list[int]] = {}
    for index, label in enumerate(labels.tolist()):
        clusters.setdefault(label, []).append(index)
    return list(clusters.values())
