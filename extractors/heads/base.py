"""What every relation head gets and gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from extractors.layers import FeedForward
from extractors.layout import Layout
from extractors.range_max import RangeMax


@dataclass(frozen=True)
class EntityPairs:
    """The encoded documents with their entities and candidate pairs.

    Attributes:
        layout: mentions, entities and pairs (m, e and n of them).
        states: range maxima over the states of all pieces.
        word_piece: where the pieces of each word begin, shape (words + 1,).
        word_sentence: sentence of each word, shape (words,).
        mentions: mention representations e(s), shape (m, width), equation 1.
        entities: entity representations x^e, shape (e, width), equation 5.
        types: entity types, shape (e,).
    """

    layout: Layout
    states: RangeMax
    word_piece: Tensor
    word_sentence: Tensor
    mentions: Tensor
    entities: Tensor
    types: Tensor


class RelationHead(nn.Module, ABC):
    """Scores every candidate pair for every relation.

    Args:
        width: width of the encoder's states.
        types: number of entity types.
        relations: number of relations.
        meta: width of meta embeddings (types, distances).
        dropout: rate inside the head.
    """

    classifier: FeedForward

    @abstractmethod
    def __init__(self, width: int, types: int, relations: int, meta: int, dropout: float) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, pairs: EntityPairs) -> Tensor:
        """Return logits of shape (n, relations)."""
