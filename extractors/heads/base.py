"""The base class of relation heads, and the entity pairs that they score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, ClassVar

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from extractors.encoder.encoder_output import EncodedPassages
from extractors.encoder.layout import Grid, Layout, lay_out_grid
from extractors.encoder.range_max import RangeMax
from extractors.heads.losses import mean
from schemas import Record

PairLoss = Callable[[Tensor, Tensor], Tensor]


def _of_entities(compute: Callable[[EntityPairs], Tensor]) -> property:
    """Make a property that is kept in `pooled`, and so shared with all that have other pairs of the same entities."""

    @wraps(compute)
    def kept(pairs: EntityPairs) -> Tensor:
        if compute.__name__ not in pairs.pooled:
            pairs.pooled[compute.__name__] = compute(pairs)
        return pairs.pooled[compute.__name__]

    return property(kept)


@dataclass(frozen=True)
class EntityPairs:
    """The encoded documents with their entities and candidate pairs.

    Attributes:
        encoded: the encoded passages.
        layout: mentions, entities and pairs (m, e and n of them), on the device of the states.
        mentions: mention representations, shape (m, width): e(s) of JEREX's equation 1, or the states of their opening
            markers (ATLOP, DocuNet section 3.2).
        types: entity types, shape (e,).
        type_probability: how likely each type is, 1 where it was known, shape (e,).
        pooled: what does not depend on the pairs, computed once however many pairs of the same entities are looked at.
    """

    encoded: EncodedPassages
    layout: Layout
    mentions: Tensor
    types: Tensor
    type_probability: Tensor
    pooled: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)

    @_of_entities
    def entities(self) -> Tensor:
        """Max-pooled mentions, x^e of JEREX's equation 5: shape (e, width)."""
        longest = int(self.layout.entity_count.max()) if len(self.layout.entity_count) else 1
        first = self.layout.entity_first
        return RangeMax(self.mentions, longest).pool(first, first + self.layout.entity_count)

    @_of_entities
    def smooth_entities(self) -> Tensor:
        """Mentions pooled by logsumexp (DocuNet equation 2): shape (e, width)."""
        owner = self.layout.mention_entity
        # Moved by the maximum, so that nothing overflows.
        moved = (self.mentions - self.entities[owner]).float().exp()
        total = torch.zeros_like(self.entities, dtype=torch.float32).index_add(0, owner, moved)
        pooled: Tensor = self.entities + total.log().to(self.entities.dtype)
        return pooled

    @_of_entities
    def entity_attention(self) -> Tensor:
        """Attention of each entity to the pieces of its passage, the mean over its mentions.

        Shape (e, heads, longest row of pieces of the grid).
        """
        first_pieces = self.encoded.first_pieces(self.layout.mention_start)
        rows = self.encoded.attention.rows(first_pieces, self.grid.piece.shape[1])
        total = rows.new_zeros(len(self.layout.entity_count), *rows.shape[1:])
        total = total.index_add(0, self.layout.mention_entity, rows)
        mean: Tensor = total / self.layout.entity_count.to(total)[:, None, None]
        return mean

    @cached_property
    def grid(self) -> Grid:
        """Entities in padded rows: pairs as maps."""
        return lay_out_grid(self.layout, self.encoded.words)

    @_of_entities
    def padded_states(self) -> Tensor:
        """States of the pieces in the rows of the grid: shape (rows, longest, width), zeros outside."""
        return nn.functional.embedding(self.grid.piece, self.encoded.rows) * self.grid.piece_inside[:, :, None]

    @_of_entities
    def grid_row(self) -> Tensor:
        """Row of the grid of each entity: shape (e,)."""
        return torch.searchsorted(self.grid.passage, self.layout.entity_passage)

    @_of_entities
    def sentence_of_piece(self) -> Tensor:
        """Sentence of each piece of the grid, counted within its passage: shape (rows, longest)."""
        words = self.encoded.words
        of_piece = np.repeat(words.sentence, np.diff(words.piece))
        piece = self.grid.piece
        sentence = self.encoded.to_device(of_piece)[piece]
        return torch.where(self.grid.piece_inside, sentence - sentence[:, :1], 0)

    def with_pairs(self, pairs: Tensor) -> EntityPairs:
        """Return the same documents with other candidate pairs."""
        return replace(self, layout=self.layout.with_pairs(pairs))

    @_of_entities
    def first_mentions(self) -> Tensor:
        """Number of each entity of a passage by its first mention, from 0: shape (e,).

        Equal first mentions share a number, so that it does not depend on the order of the entities.
        """
        words = len(self.encoded.words.sentence) + 1
        place = self.layout.mention_start * words + self.layout.mention_end
        first = torch.full_like(self.layout.entity_first, words * words)
        first = first.scatter_reduce(0, self.layout.mention_entity, place, "amin")
        distinct, number = torch.unique(first, return_inverse=True)
        owner = self.layout.entity_passage
        least = torch.full((int(owner.max()) + 1 if len(owner) else 0,), len(distinct), device=number.device)
        least = least.scatter_reduce(0, owner, number, "amin")
        numbers: Tensor = number - least[owner]
        return numbers


@dataclass(frozen=True)
class HeadSizes:
    """Sizes that a head is built for.

    Attributes:
        width: width of the encoder's states.
        types: number of entity types.
        classes: scores per pair: the relations, and a threshold class after them where the loss has one.
        meta: width of the embeddings of types and distances.
        dropout: rate inside the head.
        threshold: whether the last class is a threshold.
    """

    width: int
    types: int
    classes: int
    meta: int
    dropout: float
    threshold: bool = False


class NoOptions(Record, frozen=True, forbid_unknown_fields=True):
    """A head without choices."""


class RelationHead(nn.Module, ABC):
    """Scores every candidate pair for every class.

    Subclasses name their choices in `options_type` (a frozen record; every ablation of the paper is one of them) and
    take sizes and options in `__init__`. They define `forward`, or, so that DocRE-II can refine their predictions, its
    two halves `pair_features` and `classify` and the width between them.

    A head may refine the predictions of a base module, which is another head: it names the head in `base_choice`, gets
    it as the third argument of `__init__`, and keeps it under the name `base_name`.

    Attributes:
        published_loss: key of `extractors.heads.losses.LOSSES` with which the head was published.
        feature_width: width of the pair features.
        base_name: name of the submodule that is the base module; empty for a head without one.
    """

    options_type: ClassVar[type[Record]] = NoOptions
    published_loss: ClassVar[str] = "bce"
    base_name: ClassVar[str] = ""
    feature_width: int

    @abstractmethod
    def __init__(self, sizes: HeadSizes, options: Any, base: RelationHead | None = None) -> None:
        super().__init__()

    @classmethod
    def base_choice(cls, options: Any) -> tuple[str, dict[str, Any]] | None:
        """Return name and options of the base module that the head refines, None for a head without one."""
        return None

    @classmethod
    def has_pair_features(cls) -> bool:
        """Return whether the head can be a base module."""
        return cls.pair_features is not RelationHead.pair_features

    def start_stage(self, base_only: bool) -> None:
        """Train the whole head from now on, or its base module alone, which then is the head.

        Raises:
            ValueError: the head has no base module.
        """
        if base_only:
            raise ValueError("the relation head has no base module: leave out 'base_only'")

    def forward(self, pairs: EntityPairs) -> Tensor:
        """Return logits of shape (n, classes)."""
        return self.classify(self.pair_features(pairs))

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return what the last layer of the head reads of every pair: shape (n, feature_width)."""
        raise TypeError(f"{type(self).__name__} has no pair features: it cannot be a base module")

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes) for pair features."""
        raise TypeError(f"{type(self).__name__} has no pair features: it cannot be a base module")

    def losses(self, pairs: EntityPairs, loss: PairLoss, targets: Tensor) -> dict[str, Tensor]:
        """Return what the head is trained with; every value is a scalar, and their sum is minimised.

        Args:
            pairs: the pairs of a batch.
            loss: the relation loss of each pair, from logits and targets.
            targets: the annotated relations, shape (n, relations).
        """
        return {"relation": mean(loss(self(pairs), targets))}


def init_low_bias(last: nn.Linear) -> None:
    """Start a layer of scores low: few pairs are related, and the first steps would only teach the network that."""
    nn.init.constant_(last.bias, -4.0)


def read_options(kind: type[Record], values: dict[str, Any]) -> Record:
    """Check the options of a head.

    Raises:
        ValueError: an option is unknown or has a value of another type; the message names it.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__) or "none"
        raise ValueError(f"head options: {error}; known options: {known}") from None
