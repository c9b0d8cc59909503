"""JEREX's multi-instance relation classifier (section 3.1 d, equations 9 to 12)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from extractors.encoder.layers import ConcatLinear, Dropout, FeedForward, Part
from extractors.encoder.layout import mention_pairs
from extractors.encoder.range_max import RangeMax
from extractors.heads.base import EntityPairs, HeadSizes, RelationHead, init_low_bias
from schemas import Record

SENTENCE_DISTANCES = 32
TOKEN_DISTANCES = 512


class Options(Record, frozen=True, forbid_unknown_fields=True):
    """Ablations of table 5.

    Attributes:
        global_entities: whether mention pairs carry the entity representations (a).
        local_context: whether they carry the text between the mentions (b).
        other_sentences: whether mentions of different sentences form pairs; otherwise they only do where the entities
            have no sentence in common, and then only the closest ones (c).
    """

    global_entities: bool = True
    local_context: bool = True
    other_sentences: bool = True


class MultiInstanceRelationClassifier(RelationHead):
    """Represents every mention pair, then max-pools over the mention pairs of an entity pair."""

    options_type = Options

    def __init__(self, sizes: HeadSizes, options: Options) -> None:
        nn.Module.__init__(self)
        width, meta = sizes.width, sizes.meta
        self.options = options
        self.type_embedding = nn.Embedding(sizes.types, meta)
        self.sentence_distance = nn.Embedding(SENTENCE_DISTANCES, meta)
        self.token_distance = nn.Embedding(TOKEN_DISTANCES, meta)
        parts = 2 + 2 * options.global_entities + options.local_context
        self.pair_layer = ConcatLinear(parts * width + 2 * meta, width)
        self.dropout = Dropout(sizes.dropout)
        self.classifier = FeedForward(width + 2 * meta, width, sizes.classes, sizes.dropout)
        init_low_bias(self.classifier.outer)
        self.feature_width = width

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return the inner layer of the classifier: shape (n, feature_width)."""
        layout = pairs.layout
        s1, s2, first, end = mention_pairs(layout)
        e1, e2 = layout.mention_entity[s1], layout.mention_entity[s2]
        start1, end1, start2, end2 = (
            edge[mention] for mention in (s1, s2) for edge in (layout.mention_start, layout.mention_end)
        )
        sentences = (pairs.encoded.word_sentence[start1] - pairs.encoded.word_sentence[start2]).abs()
        between_start, between_end = torch.minimum(end1, end2), torch.maximum(start1, start2)
        tokens = (between_end - between_start).clamp(min=0)
        parts: list[Part] = [(pairs.mentions, s1)]
        if self.options.global_entities:
            parts.append((pairs.entities, e1))
        parts.append((pairs.mentions, s2))
        if self.options.global_entities:
            parts.append((pairs.entities, e2))
        if self.options.local_context:
            # c(s1, s2): the text between the mentions, empty when they touch or overlap.
            until = torch.maximum(between_start, between_end)
            parts.append((pairs.encoded.pool(between_start, until), None))
        parts.append((self.sentence_distance.weight, sentences.clamp(max=SENTENCE_DISTANCES - 1)))
        parts.append((self.token_distance.weight, tokens.clamp(max=TOKEN_DISTANCES - 1)))
        represented = torch.relu(self.pair_layer(parts))  # equations 9 to 11
        if not self.options.other_sentences:
            # Values begin at zero, so zeros are a pair that is not there.
            represented = represented * _nearby(sentences, tokens, first, end)[:, None]
        # Equation 12: an entity pair is a range of mention pairs.
        longest = int((end - first).max()) if len(first) else 1
        pooled = self.dropout(RangeMax(represented, longest).pool(first, end))
        head, tail = layout.pairs.unbind(1)
        types = self.type_embedding(pairs.types)
        return self.classifier.hidden((pooled, None), (types, head), (types, tail))

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes)."""
        scores: Tensor = self.classifier.outer(features)
        return scores


def _nearby(sentences: Tensor, tokens: Tensor, first: Tensor, end: Tensor) -> Tensor:
    """Return which mention pairs share a sentence, or are closest where no pair of the same entities does: shape (k,).

    Args:
        sentences, tokens: how far apart the mentions are, shape (k,).
        first, end: range of the mention pairs of each entity pair, shape (n,).
    """
    count = len(first)
    pair = torch.repeat_interleave(torch.arange(count, device=first.device), end - first)
    # Pairs of different sentences are farther apart than any of the same sentence.
    distance = torch.where(sentences == 0, -1, tokens)
    least = distance.new_zeros(count).scatter_reduce(0, pair, distance, "amin", include_self=False)
    return distance == least[pair]
