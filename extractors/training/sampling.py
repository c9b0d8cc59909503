"""Negative samples of the joint training (section 3.2), drawn for all documents of a batch at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def sample_per_group(group: Ints, count: int | None, generator: np.random.Generator, allowed: Bools) -> Bools:
    """Choose up to `count` random allowed items of each group; all allowed ones when `count` is None.

    Args:
        group: group of each item, ascending, shape (n,).
        allowed: which items may be chosen, shape (n,).

    Returns:
        Which items are chosen, shape (n,).
    """
    if count is None:
        return allowed
    # Items that are not allowed come last in their group, so a rank below `count` among the allowed is a choice.
    key = np.where(allowed, generator.random(len(group)), 2.0)
    order = np.lexsort((key, group))
    sizes = np.bincount(group) if len(group) else np.zeros(0, np.int64)
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return allowed & (rank < count)


def sample_spans(
    group: Ints, inside_mention: Bools, negative: Bools, count: int | None, generator: np.random.Generator
) -> Bools:
    """Choose negative spans: up to half of `count` inside mentions, the rest anywhere (section 3.2)."""
    if count is None:
        return negative
    hard = sample_per_group(group, count // 2, generator, negative & inside_mention)
    return hard | sample_per_group(group, count - count // 2, generator, negative & ~inside_mention)
