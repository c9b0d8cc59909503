"""Typed ATLOP: ATLOP for extractors that find the entities themselves.

A joint extractor cannot mark entities in its input. Entity types and mention distances, as in JEREX (equations 7 and
10), take the place of entity markers; localized context and the grouped bilinear form are those of ATLOP.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from extractors.encoder.layers import ConcatLinear, Dropout
from extractors.encoder.layout import mention_gaps
from extractors.heads.atlop import GroupedBilinear
from extractors.heads.base import EntityPairs, HeadSizes, NoOptions, RelationHead
from extractors.heads.localized_context import pair_context

SENTENCE_DISTANCES = 16
# Distances in words, by powers of two.
WORD_DISTANCES = 12


class TypedAtlop(RelationHead):
    """ATLOP's localized context and grouped bilinear form over entity types and mention distances."""

    published_loss = "adaptive-threshold"

    def __init__(self, sizes: HeadSizes, options: NoOptions) -> None:
        nn.Module.__init__(self)
        width, meta = sizes.width, sizes.meta
        self.type_embedding = nn.Embedding(sizes.types, meta)
        self.sentence_distance = nn.Embedding(SENTENCE_DISTANCES, meta)
        self.word_distance = nn.Embedding(WORD_DISTANCES, meta)
        self.head_layer = ConcatLinear(2 * width + 3 * meta, width)
        self.tail_layer = ConcatLinear(2 * width + 3 * meta, width)
        self.dropout = Dropout(sizes.dropout)
        self.bilinear = GroupedBilinear(width, sizes.classes)
        self.feature_width = 2 * width

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes) for pair features."""
        scores: Tensor = self.bilinear(*features.chunk(2, 1))
        return scores

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return [z_s; z_o] of ATLOP with types and distances: shape (n, feature_width)."""
        head, tail = pairs.layout.pairs.unbind(1)
        context = pair_context(pairs)
        types = self.type_embedding(pairs.types)
        sentences, words = nearest_mentions(pairs)
        sentences = sentences.clamp(max=SENTENCE_DISTANCES - 1)
        bucket = torch.log2(words.clamp(min=1).float()).long().clamp(max=WORD_DISTANCES - 2) + (words > 0)
        shared = [
            (context, None),
            (self.sentence_distance.weight, sentences),
            (self.word_distance.weight, bucket),
        ]
        entities = pairs.smooth_entities
        z_s = torch.tanh(self.head_layer([(entities, head), (types, head), *shared]))
        z_o = torch.tanh(self.tail_layer([(entities, tail), (types, tail), *shared]))
        features: Tensor = self.dropout(torch.cat([z_s, z_o], 1))
        return features


def nearest_mentions(pairs: EntityPairs) -> tuple[Tensor, Tensor]:
    """Return how many sentences and how many words are between the closest mentions of each pair, each of shape (n,).

    Both are 0 for mentions that touch or overlap.
    """
    layout = pairs.layout
    s1, s2, pair, _, gap = mention_gaps(layout)
    sentence = pairs.encoded.word_sentence[layout.mention_start]
    apart = (sentence[s1] - sentence[s2]).abs()
    most = torch.iinfo(gap.dtype).max
    nearest = [
        gap.new_full((len(layout.pairs),), most).scatter_reduce(0, pair, values, "amin") for values in (apart, gap)
    ]
    return nearest[0], nearest[1]
