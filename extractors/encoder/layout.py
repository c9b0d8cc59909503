"""Layout of the mentions, entities and pairs of a batch: flat index tensors instead of padding and loops.

All positions count over the whole batch: pieces, words and sentences of the passages are concatenated.
Mentions are grouped by entity, so an entity is a range of mentions and a pair a range of mention pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from extractors.encoder.device import to_device
from extractors.encoder.featurizer import Passage

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """The words of a batch of passages.

    Attributes:
        piece: where the pieces of each word begin, one more entry at the end, shape (w + 1,).
        sentence: sentence of each word, different in different passages, shape (w,).
        passage: passage of each word, shape (w,).
        first: first word of each passage, one more entry at the end, shape (passages + 1,).
    """

    piece: Ints
    sentence: Ints
    passage: Ints
    first: Ints


def lay_out_words(passages: Sequence[Passage]) -> Words:
    """Return the positions of all words of the passages."""
    counts = np.array([p.words for p in passages])
    pieces = np.array([len(p.pieces) for p in passages])
    before = np.cumsum(pieces) - pieces
    piece = [p.word_pieces[:-1].astype(np.int64) + b for p, b in zip(passages, before, strict=True)]
    # A document has fewer sentences than words, so the words before a passage keep its sentences apart from others.
    sentence_base = np.cumsum([0] + [int(p.sentences[-1]) + 1 for p in passages])[:-1]
    sentence = [p.sentences.astype(np.int64) + b for p, b in zip(passages, sentence_base, strict=True)]
    return Words(
        piece=np.concatenate([*piece, [pieces.sum()]]),
        sentence=np.concatenate(sentence),
        passage=np.repeat(np.arange(len(passages)), counts),
        first=np.concatenate([[0], np.cumsum(counts)]),
    )


def candidate_spans(words: Words, longest: int) -> tuple[Ints, Ints]:
    """Return (start, end) in words of every span of at most `longest` words inside one sentence (section 3.1 a)."""
    count = len(words.sentence)
    start = np.repeat(np.arange(count), longest)
    last = start + np.tile(np.arange(longest), count)
    inside = last < count
    inside[inside] = words.sentence[start[inside]] == words.sentence[last[inside]]
    # A cut inside a long sentence leaves one sentence in two passages; a span must not cross the cut.
    inside[inside] = words.passage[start[inside]] == words.passage[last[inside]]
    return start[inside], last[inside] + 1


@dataclass(frozen=True)
class Layout:
    """Mentions, entities and ordered entity pairs of a batch.

    Attributes:
        mention_start, mention_end: word range of each mention, shape (m,).
        mention_entity: entity of each mention, ascending, shape (m,).
        entity_first, entity_count: range of each entity's mentions, shape (e,).
        entity_passage: passage of each entity, ascending, shape (e,).
        pairs: (head, tail) entities of each candidate pair, both in one passage, shape (n, 2).
    """

    mention_start: Tensor
    mention_end: Tensor
    mention_entity: Tensor
    entity_first: Tensor
    entity_count: Tensor
    entity_passage: Tensor
    pairs: Tensor

    def to(self, device: torch.device) -> Layout:
        """Return the layout on a device."""
        return Layout(**{name: to_device(tensor, device) for name, tensor in vars(self).items()})

    def with_pairs(self, pairs: Tensor) -> Layout:
        """Return the layout with other candidate pairs."""
        return Layout(**{**vars(self), "pairs": pairs})


@dataclass(frozen=True)
class Grid:
    """Entities of a passage in a padded row and its pieces in another: pairs are cells of a map.

    Rows are padded to a multiple of a fixed size, so that what is computed for a passage depends on passages of other
    sizes only through the size of its row.

    Attributes:
        passage: passage of each row, those that have entities, shape (rows,).
        entity: entity in each cell of a row, any entity where there is none, shape (rows, widest).
        inside: where there is one, shape (rows, widest).
        cell: place of each candidate pair in the flattened maps (rows * widest * widest), shape (n,).
        piece: piece in each cell of a row of pieces, any piece where there is none, shape (rows, longest).
        piece_inside: where there is one, shape (rows, longest).
    """

    passage: Tensor
    entity: Tensor
    inside: Tensor
    cell: Tensor
    piece: Tensor
    piece_inside: Tensor


ENTITY_STEP = 4
PIECE_STEP = 64


def grid_shape(pieces: int, entities: int) -> tuple[int, int]:
    """Return the padded numbers of entities and pieces of a passage: those of equal shape can share a grid."""
    return -(-entities // ENTITY_STEP) * ENTITY_STEP, -(-pieces // PIECE_STEP) * PIECE_STEP


def lay_out_grid(layout: Layout, words: Words) -> Grid:
    """Return the padded rows of the passages that have entities."""
    device = layout.pairs.device
    passage, row = torch.unique(layout.entity_passage, return_inverse=True)
    counts = torch.bincount(row, minlength=len(passage))
    first_piece = torch.from_numpy(words.piece[words.first]).to(device)
    begin, end = first_piece[passage], first_piece[passage + 1]
    widest, longest = grid_shape(
        int((end - begin).max()) if len(passage) else 0, int(counts.max()) if len(passage) else 0
    )
    first = counts.cumsum(0) - counts
    column = torch.arange(widest, device=device)
    inside = column < counts[:, None]
    piece = begin[:, None] + torch.arange(longest, device=device)
    piece_inside = piece < end[:, None]
    head, tail = layout.pairs.unbind(1)
    cell = (row[head] * widest + head - first[row[head]]) * widest + tail - first[row[head]]
    return Grid(
        passage, torch.where(inside, first[:, None] + column, 0), inside, cell, piece * piece_inside, piece_inside
    )


def lay_out_entities(entities: Sequence[Sequence[Sequence[tuple[int, int]]]], words: Words) -> Layout:
    """Return the layout of clusters of word ranges, given per passage and relative to the passage."""
    spans = [
        (start + base, end + base)
        for base, clusters in zip(words.first.tolist(), entities, strict=False)
        for cluster in clusters
        for start, end in cluster
    ]
    mentions = np.array(spans, np.int64).reshape(-1, 2)
    counts = np.array([len(cluster) for clusters in entities for cluster in clusters], np.int64)
    per_passage = np.array([len(clusters) for clusters in entities], np.int64)
    first = np.cumsum(counts) - counts
    return Layout(
        mention_start=torch.from_numpy(mentions[:, 0].copy()),
        mention_end=torch.from_numpy(mentions[:, 1].copy()),
        mention_entity=torch.from_numpy(np.repeat(np.arange(len(counts)), counts)),
        entity_first=torch.from_numpy(first),
        entity_count=torch.from_numpy(counts),
        entity_passage=torch.from_numpy(np.repeat(np.arange(len(per_passage)), per_passage)),
        pairs=torch.from_numpy(ordered_pairs(per_passage)),
    )


def ordered_pairs(counts: Ints) -> Ints:
    """Return all ordered pairs of different items inside groups of the given sizes, shape (n, 2).

    Pairs are sorted by (head, tail); items are numbered over all groups.
    """
    offset = np.cumsum(counts) - counts
    heads = np.repeat(np.arange(counts.sum()), np.repeat(counts, counts))
    owner = np.repeat(np.arange(len(counts)), counts**2)
    rank = np.arange(len(heads)) - np.repeat(np.cumsum(counts**2) - counts**2, counts**2)
    tails = offset[owner] + rank % np.repeat(counts, counts**2)
    keep = heads != tails
    return np.stack([heads[keep], tails[keep]], axis=1)


def mention_pairs(layout: Layout) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return every mention pair of every entity pair (section 3.1 d).

    Returns:
        Head mentions and tail mentions, shape (k,), and for each entity pair the first of its mention pairs and one
        past the last, shape (n,).
    """
    head, tail = layout.pairs[:, 0], layout.pairs[:, 1]
    tails = layout.entity_count[tail]
    counts = layout.entity_count[head] * tails
    end = counts.cumsum(0)
    first = end - counts
    pair = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    rank = torch.arange(len(pair), device=counts.device) - first[pair]
    heads = layout.entity_first[head][pair] + rank // tails[pair]
    return heads, layout.entity_first[tail][pair] + rank % tails[pair], first, end


def mention_gaps(layout: Layout) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return how far apart the mentions of every mention pair of every entity pair are.

    Returns:
        Head mentions, tail mentions, their entity pair, where the later of both begins, and the words between them (0
        where they touch or overlap), all of shape (k,).
    """
    heads, tails, first, end = mention_pairs(layout)
    pair = torch.repeat_interleave(torch.arange(len(first), device=first.device), end - first)
    later = torch.maximum(layout.mention_start[heads], layout.mention_start[tails])
    gap = (later - torch.minimum(layout.mention_end[heads], layout.mention_end[tails])).clamp(min=0)
    return heads, tails, pair, later, gap
