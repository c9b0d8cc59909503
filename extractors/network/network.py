"""The network of an extractor: one encoder pass feeds every component.

A joint network is JEREX (Eberts and Ulges 2021, section 3.1) with any relation head; one that is not joint has the
relation head only and needs documents with given entities. `extractors.inference.decoding` turns the scores into
entities and facts, `extractors.training.objective` into a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from extractors.encoder.device import to_device
from extractors.encoder.encoder import Encoder
from extractors.encoder.encoder_output import EncodedPassages
from extractors.encoder.entity_markers import Clusters, annotate
from extractors.encoder.featurizer import Passage
from extractors.encoder.layers import Dropout, FeedForward
from extractors.encoder.layout import Layout, lay_out_words
from extractors.heads import EntityPairs, HeadSizes, build_head
from extractors.heads.losses import LOSSES
from extractors.network.config import ModelConfig
from schemas import RelationSchema

EDIT_DISTANCES = 64

# Parts of a network that may learn at rates of their own.
Part = Literal["encoder", "base", "rest"]


class Network(nn.Module):
    """The network.

    Args:
        config: what to build.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        schema = config.schema
        self.config = config
        self.loss = LOSSES[config.loss]
        types = len(schema.entity_types)
        self.encoder = Encoder(
            config.backbone_config(),
            config.special_ids,
            config.window,
            types if config.entity_embeddings else 0,
            config.averaged_layers,
        )
        width, meta, dropout = self.encoder.width, config.meta_width, config.dropout
        self.dropout = Dropout(dropout)
        if config.joint:
            self.span_size = nn.Embedding(config.longest_mention, meta)
            self.edit_distance = nn.Embedding(EDIT_DISTANCES, meta)
            self.mention_classifier = FeedForward(width + meta, width, 1, dropout)
            self.coreference_classifier = FeedForward(2 * width + meta, width, 1, dropout)
            self.type_classifier = FeedForward(width, width, types, dropout)
        sizes = HeadSizes(width, types, len(schema.relations) + self.loss.added, meta, dropout, self.loss.threshold)
        self.relation_head = build_head(config.head, config.head_options, sizes)
        self.allowed_pairs = _allowed_pairs(schema)

    def forward(self, passages: Sequence[Passage] | EncodedPassages, spans: Layout, types: Tensor) -> EntityPairs:
        """Run the paper's forward pass up to the relation head: encoder, mentions, entities, entity types, pairs.

        Training and calibration pass annotated entities. Inference encodes the passages first, finds their entities
        with `mention_logits` and `coreference_logits`, and passes what it encoded. `relation_scores` scores the pairs
        that are returned, or others that `EntityPairs.with_pairs` puts in their place.

        Args:
            passages: the passages, or what `encode` made of them.
            spans: their mentions, entities and pairs, on the host.
            types: the known type of each entity, -1 where the network predicts it, on the host, shape (e,). A network
                that is not joint takes the first type instead.

        Returns:
            The entities and pairs, on the network's device.
        """
        encoded = passages if isinstance(passages, EncodedPassages) else self.encode(passages)
        layout = spans.to(encoded.device)
        mentions = self.dropout(self.mention_vectors(encoded, layout))  # e(s), equation 1
        certain = torch.ones(len(types), dtype=torch.double, device=encoded.device)
        pairs = EntityPairs(encoded, layout, mentions, to_device(types.clamp(min=0), encoded.device), certain)
        unknown = types < 0
        if not self.config.joint or not unknown.any():
            return pairs
        likeliest = self.type_logits(pairs.entities).double().softmax(1).max(1)  # equations 5 and 6
        unknown = to_device(unknown, encoded.device)
        return replace(
            pairs,
            types=torch.where(unknown, likeliest.indices, pairs.types),
            type_probability=torch.where(unknown, likeliest.values, certain),
        )

    def encode(self, passages: Sequence[Passage]) -> EncodedPassages:
        """Run the encoder over the passages, once."""
        return EncodedPassages(self.encoder(passages), lay_out_words(passages))

    def mark_entities(self, passage: Passage, clusters: Clusters, types: Sequence[int]) -> Passage:
        """Mark given entities in the encoder's input, as the configuration says; a joint network marks nothing."""
        config = self.config
        marker = config.marker_id if config.markers else None
        return annotate(passage, clusters, types, config.entity_embeddings, marker)

    def mention_vectors(self, encoded: EncodedPassages, layout: Layout) -> Tensor:
        """Return the mention representations: shape (m, width)."""
        if self.config.markers:  # the state of the opening marker, as ATLOP and DocuNet (section 3.2)
            return nn.functional.embedding(encoded.word_piece[layout.mention_start], encoded.rows)
        return encoded.pool(layout.mention_start, layout.mention_end)

    def mention_logits(self, encoded: EncodedPassages, start: Tensor, end: Tensor) -> Tensor:
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

    def type_logits(self, entities: Tensor) -> Tensor:
        """Score the entity types (equation 6): shape (e, types)."""
        scores: Tensor = self.type_classifier((entities, None))
        return scores

    def relation_scores(self, pairs: EntityPairs) -> Tensor:
        """Score the relations of every pair, above zero where the loss says that they hold: shape (n, relations)."""
        return self.loss.scores(self.relation_head(pairs))

    def part_of(self, parameter: str) -> Part:
        """Return the part that a parameter belongs to, by its name: encoder, base module of the head, or the rest."""
        base = self.relation_head.base_name
        if parameter.startswith("encoder."):
            return "encoder"
        return "base" if base and parameter.startswith(f"relation_head.{base}.") else "rest"


def _allowed_pairs(schema: RelationSchema) -> Tensor:
    """Return which relations each pair of types may have: shape (types, types, relations), on the host."""
    count = len(schema.entity_types)
    table = torch.ones(count, count, len(schema.relations), dtype=torch.bool, device="cpu")
    for column, relation in enumerate(schema.relations):
        if relation.types:
            table[:, :, column] = False
            for head, tail in relation.types:
                table[schema.entity_types.index(head), schema.entity_types.index(tail), column] = True
    return table
