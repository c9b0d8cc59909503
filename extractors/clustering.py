"""From mention similarities to clusters, by complete linkage (section 3.1 b), honouring what the source says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from schemas import Mention


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
    similarity[both_known & ~same] = 0.0
    similarity[clash] = 0.0
    similarity[same & ~clash] = 1.0


def _share(count: int, ids: Sequence[tuple[str, ...]]) -> NDArray[np.bool_]:
    names = sorted({name for group in ids for name in group})
    column = {name: position for position, name in enumerate(names)}
    holds = np.zeros((count, len(names)), np.float32)
    for row, group in enumerate(ids):
        holds[row, [column[name] for name in group]] = 1.0
    shared: NDArray[np.bool_] = (holds @ holds.T) > 0
    return shared


def cluster(similarity: NDArray[np.float64], threshold: float) -> list[list[int]]:
    """Cluster mentions so that all pairs in a cluster have at least the similarity `threshold`.

    Args:
        similarity: symmetric, values in [0, 1], shape (m, m).
        threshold: alpha^c.

    Returns:
        Indices of each cluster's mentions, ascending; clusters in the order of their first mention.
    """
    count = similarity.shape[0]
    if count < 2:
        return [[index] for index in range(count)]
    upper = np.triu_indices(count, 1)
    distance = 1.0 - similarity[upper]
    labels = fcluster(linkage(distance, method="complete"), t=1.0 - threshold, criterion="distance")
    clusters: dict[int, list[int]] = {}
    for index, label in enumerate(labels.tolist()):
        clusters.setdefault(label, []).append(index)
    return list(clusters.values())
