"""Mark given entities in the input of the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractors.encoder.featurizer import SYMBOL, Passage

# Clusters of (start, end) words, relative to the passage.
Clusters = Sequence[Sequence[tuple[int, int]]]


def annotate(passage: Passage, clusters: Clusters, types: Sequence[int], embed: bool, marker: int | None) -> Passage:
    """Return the passage with its entities marked.

    Args:
        passage: a passage of plain text.
        clusters: its entities.
        types: type of each entity.
        embed: whether pieces learn the type and the order of their entity (as HIN section 3.1 and the markers of
            DocRE-II do); where mentions overlap, those of the shorter one.
        marker: id of the piece put before and after each mention (`*` of ATLOP, DocuNet section 3.2), if any. It is
            the first piece of the mention's first word, or the last of its last word. Several mentions that start
            or end together share one.
    """
    if embed:
        passage = _embed(passage, clusters, types)
    return passage if marker is None else _mark(passage, clusters, marker)


def first_mention_order(clusters: Clusters) -> list[int]:
    """Number entities by their first mention; equal ones share a number, so the order of the list does not matter."""
    first = [min(cluster) for cluster in clusters]
    number = {mention: index for index, mention in enumerate(sorted(set(first)))}
    return [number[mention] for mention in first]


def _embed(passage: Passage, clusters: Clusters, types: Sequence[int]) -> Passage:
    type_of, order_of = passage.types.copy(), passage.orders.copy()
    orders = first_mention_order(clusters)
    mentions = [
        (start - end, orders[index], types[index], start, end)
        for index, cluster in enumerate(clusters)
        for start, end in cluster
    ]
    for _, order, type, start, end in sorted(mentions):
        low, high = passage.word_pieces[start], passage.word_pieces[end]
        type_of[low:high] = type + 1
        order_of[low:high] = order
    return replace(passage, types=type_of, orders=order_of)


def _mark(passage: Passage, clusters: Clusters, marker: int) -> Passage:
    spans = np.array([span for cluster in clusters for span in cluster], np.int64).reshape(-1, 2)
    opening, closing = np.unique(spans[:, 0]), np.unique(spans[:, 1])
    before = passage.word_pieces[opening].astype(np.int64)
    after = passage.word_pieces[closing].astype(np.int64)
    # At the same position, a closing marker comes before an opening one.
    at = np.concatenate([after, before])
    neighbour = np.concatenate([after - 1, before])
    order = np.argsort(at, kind="stable")
    at, neighbour = at[order], neighbour[order]

    def insert(row: NDArray[Any], value: object) -> NDArray[Any]:
        return np.insert(row, at, np.asarray(value, row.dtype))

    words = np.arange(len(passage.word_pieces))
    added = np.searchsorted(opening, words) + np.searchsorted(closing, words, side="right")
    return replace(
        passage,
        pieces=insert(passage.pieces, marker),
        shapes=insert(passage.shapes, SYMBOL),
        types=insert(passage.types, passage.types[neighbour]),
        orders=insert(passage.orders, passage.orders[neighbour]),
        word_pieces=(passage.word_pieces + added).astype(np.int32),
    )
