"""JEREX's multi-instance relation classifier (section 3.1 d, equations 9 to 12)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from extractors.heads.base import EntityPairs, RelationHead
from extractors.layers import ConcatLinear, Dropout, FeedForward
from extractors.layout import mention_pairs
from extractors.range_max import RangeMax

SENTENCE_DISTANCES = 32
TOKEN_DISTANCES = 512


class MultiInstanceRelationClassifier(RelationHead):
    """Represents every mention pair, then max-pools over the mention pairs of an entity pair."""

    def __init__(self, width: int, types: int, relations: int, meta: int, dropout: float) -> None:
        nn.Module.__init__(self)
        self.type_embedding = nn.Embedding(types, meta)
        self.sentence_distance = nn.Embedding(SENTENCE_DISTANCES, meta)
        self.token_distance = nn.Embedding(TOKEN_DISTANCES, meta)
        self.pair_layer = ConcatLinear(5 * width + 2 * meta, width)
        self.dropout = Dropout(dropout)
        self.classifier = FeedForward(width + 2 * meta, width, relations, dropout)

    def forward(self, pairs: EntityPairs) -> Tensor:
        """Return logits of shape (n, relations)."""
        layout = pairs.layout
        s1, s2, first, end = mention_pairs(layout)
        e1, e2 = layout.mention_entity[s1], layout.mention_entity[s2]
        start1, end1, start2, end2 = (
            edge[mention] for mention in (s1, s2) for edge in (layout.mention_start, layout.mention_end)
        )
        # c(s1, s2): the context between the mentions, empty when they touch or overlap.
        between_start, between_end = torch.minimum(end1, end2), torch.maximum(start1, start2)
        empty = between_end <= between_start
        context = pairs.states.pool(
            pairs.word_piece[between_start], pairs.word_piece[torch.where(empty, between_start, between_end)]
        )
        sentences = (pairs.word_sentence[start1] - pairs.word_sentence[start2]).abs().clamp(max=SENTENCE_DISTANCES - 1)
        tokens = (between_end - between_start).clamp(min=0, max=TOKEN_DISTANCES - 1)
        # Equations 9 to 11.
        represented = torch.relu(
            self.pair_layer(
                [
                    (pairs.mentions, s1),
                    (pairs.entities, e1),
                    (pairs.mentions, s2),
                    (pairs.entities, e2),
                    (context, None),
                    (self.sentence_distance.weight, sentences),
                    (self.token_distance.weight, tokens),
                ]
            )
        )
        # Equation 12: an entity pair is a range of mention pairs.
        longest = int((end - first).max()) if len(first) else 1
        pooled = self.dropout(RangeMax(represented, longest).pool(first, end))
        head, tail = layout.pairs.unbind(1)
        types = self.type_embedding(pairs.types)
        scores: Tensor = self.classifier((pooled, None), (types, head), (types, tail))
        return scores
