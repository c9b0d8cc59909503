"""JEREX: mentions, clusters, types and relations from one encoder pass (Eberts and Ulges 2021, section 3.1).

The network only; `extractors.decoding` turns its scores into entities and facts, `extractors.objective` into a loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from extractors.config import ModelConfig
from extractors.encoder import Encoder
from extractors.heads import HEADS, EntityPairs
from extractors.layers import Dropout, FeedForward
from extractors.layout import Layout, Words, lay_out_words
from extractors.prepare import Passage
from extractors.range_max import RangeMax

EDIT_DISTANCES = 64


class Encoded:
    """The encoded passages: range maxima over piece states, and where the words lie."""

    def __init__(self, states: Tensor, words: Words) -> None:
        self.words = words
        self.states = RangeMax(states, int(np.diff(words.piece[words.first]).max()))
        self.word_piece = self.place(words.piece)
        self.word_sentence = self.place(words.sentence)

    @property
    def device(self) -> torch.device:
        """Where the states are."""
        return self.states.table.device

    def place(self, positions: NDArray[np.int64]) -> Tensor:
        """Return host positions as a tensor beside the states."""
        return torch.from_numpy(np.ascontiguousarray(positions)).to(self.device)

    def pool(self, start: Tensor, end: Tensor) -> Tensor:
        """Return e(s) of equation 1 for word ranges: shape (n, width)."""
        return self.states.pool(self.word_piece[start], self.word_piece[end])


class Jerex(nn.Module):
    """The joint network.

    Args:
        config: what to build.
        encoder: the encoder to use; built from `config.backbone` with random weights if absent.
    """

    def __init__(self, config: ModelConfig, encoder: Encoder | None = None) -> None:
        super().__init__()
        schema = config.schema
        self.config = config
        self.encoder = encoder or Encoder(config.backbone_config(), config.special_ids, config.window)
        width, meta, dropout = self.encoder.width, config.meta_width, config.dropout
        self.span_size = nn.Embedding(config.longest_mention, meta)
        self.edit_distance = nn.Embedding(EDIT_DISTANCES, meta)
        self.dropout = Dropout(dropout)
        self.mention_classifier = FeedForward(width + meta, width, 1, dropout)
        self.coreference_classifier = FeedForward(2 * width + meta, width, 1, dropout)
        self.type_classifier = FeedForward(width, width, len(schema.entity_types), dropout)
        self.relation_head = HEADS[config.head](width, len(schema.entity_types), len(schema.relations), meta, dropout)
        # Few pairs are related; without this prior the first steps would only teach the network that.
        nn.init.constant_(self.relation_head.classifier.outer.bias, -4.0)

    def encode(self, passages: Sequence[Passage]) -> Encoded:
        """Read the passages once."""
        return Encoded(self.encoder(passages), lay_out_words(passages))

    def mention_logits(self, encoded: Encoded, start: Tensor, end: Tensor) -> Tensor:
        """Score word ranges as mentions (equation 2): shape (n,)."""
        spans = self.dropout(encoded.pool(start, end))
        size = (end - start - 1).clamp(max=self.config.longest_mention - 1)
        scores: Tensor = self.mention_classifier((spans, None), (self.span_size.weight, size))
        return scores.squeeze(1)

    def coreference_logits(self, mentions: Tensor, first: Tensor, second: Tensor, distance: Tensor) -> Tensor:
        """Score pairs of mentions as coreferent (equations 3 and 4).

        Args:
            mentions: e(s), shape (m, width).
            first, second: indices of the mentions of each pair, shape (n,).
            distance: Levenshtein distance of their texts, shape (n,).

        Returns:
            Shape (n,).
        """
        distance = distance.clamp(max=EDIT_DISTANCES - 1)
        scores: Tensor = self.coreference_classifier(
            (mentions, first), (mentions, second), (self.edit_distance.weight, distance)
        )
        return scores.squeeze(1)

    def entity_vectors(self, mentions: Tensor, layout: Layout) -> Tensor:
        """Max-pool the mentions of each entity to x^e (equation 5): shape (e, width)."""
        longest = int(layout.entity_count.max()) if len(layout.entity_count) else 1
        first = layout.entity_first
        return RangeMax(mentions, longest).pool(first, first + layout.entity_count)

    def type_logits(self, entities: Tensor) -> Tensor:
        """Score the entity types (equation 6): shape (e, types)."""
        scores: Tensor = self.type_classifier((entities, None))
        return scores

    def relation_logits(
        self, encoded: Encoded, layout: Layout, mentions: Tensor, entities: Tensor, types: Tensor
    ) -> Tensor:
        """Score the relations of every pair of the layout: shape (pairs, relations)."""
        pairs = EntityPairs(
            layout=layout,
            states=encoded.states,
            word_piece=encoded.word_piece,
            word_sentence=encoded.word_sentence,
            mentions=mentions,
            entities=entities,
            types=types,
        )
        logits: Tensor = self.relation_head(pairs)
        return logits
