"""ATLOP (Zhou et al. 2021), the base module of DocRE-II (section 2.1)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from extractors.encoder.layers import ConcatLinear, Dropout
from extractors.heads.base import EntityPairs, HeadSizes, RelationHead
from extractors.heads.localized_context import pair_context
from schemas import Record

# Width of the groups of the grouped bilinear form, as in ATLOP.
BLOCK = 64
# Pairs whose products are held at once: they stay in the cache, which halves the time.
ROWS = 256
# Products of a pair that are multiplied with their weights at once. On CPUs with AMX, oneDNN (3.12) divides by zero for
# some matrices of few rows and more columns, for example 32 x 49,152, and that ends the process.
PRODUCTS = 24_576


class Options(Record, frozen=True, forbid_unknown_fields=True):
    """How a pair is classified.

    Attributes:
        classifier: `bilinear`, ATLOP's grouped form, or `linear`, a feature vector and one linear layer (DocRE-II
            equations 2 to 4).
    """

    classifier: Literal["bilinear", "linear"] = "bilinear"


class Atlop(RelationHead):
    """Localized context pooling and a grouped bilinear form, or the linear one of DocRE-II's base module."""

    options_type = Options
    published_loss = "adaptive-threshold"

    def __init__(self, sizes: HeadSizes, options: Options) -> None:
        nn.Module.__init__(self)
        width = sizes.width
        self.options = options
        self.head_layer = ConcatLinear(2 * width, width)
        self.tail_layer = ConcatLinear(2 * width, width)
        self.dropout = Dropout(sizes.dropout)
        if options.classifier == "bilinear":
            self.bilinear = GroupedBilinear(width, sizes.classes)
            self.feature_width = 2 * width
        else:
            self.feature_layer = nn.Linear(2 * width, width)
            self.classifier = nn.Linear(width, sizes.classes)
            self.feature_width = width

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return [z_s; z_o], or F_so of DocRE-II's equations 2 and 3: shape (n, feature_width)."""
        vectors = torch.cat(self.pair_vectors(pairs), 1)
        if self.options.classifier == "bilinear":
            return vectors
        features: Tensor = self.dropout(torch.relu(self.feature_layer(vectors)))
        return features

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes) for pair features (DocRE-II equation 4 without its sigmoid)."""
        scores: Tensor
        if self.options.classifier == "bilinear":
            scores = self.bilinear(*features.chunk(2, 1))
        else:
            scores = self.classifier(features)
        return scores

    def pair_vectors(self, pairs: EntityPairs) -> tuple[Tensor, Tensor]:
        """Return z_s = tanh(W_s [h(e_s), c_so]) and z_o, inside equations 2 and 3: two of shape (n, width)."""
        head, tail = pairs.layout.pairs.unbind(1)
        entities, context = pairs.smooth_entities, pair_context(pairs)
        z_s = torch.tanh(self.head_layer([(entities, head), (context, None)]))
        z_o = torch.tanh(self.tail_layer([(entities, tail), (context, None)]))
        return self.dropout(z_s), self.dropout(z_o)


class GroupedBilinear(nn.Module):
    """z_s^T W_r z_o with W_r of blocks on the diagonal.

    Args:
        width: width of both vectors, a multiple of the block, or smaller than it.
        classes: number of scores.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.block = min(BLOCK, width)
        if width % self.block:
            raise ValueError(f"the encoder's width {width} is no multiple of {self.block}, the bilinear form's block")
        self.linear = nn.Linear(width * self.block, classes)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return scores of shape (n, classes) for two matrices of shape (n, width)."""
        # Cast here, since autocast would cast every part of it again.
        weight = self.linear.weight.to(first.dtype)
        parts = zip(torch.split(first, ROWS), torch.split(second, ROWS), strict=True)
        return torch.cat([self._scores(one, other, weight) for one, other in parts])

    def _scores(self, first: Tensor, second: Tensor, weight: Tensor) -> Tensor:
        width = max(1, PRODUCTS // self.block**2) * self.block
        columns = zip(
            torch.split(first, width, 1),
            torch.split(second, width, 1),
            torch.split(weight, width * self.block, 1),
            strict=True,
        )
        bias: Tensor | None = self.linear.bias
        total: Tensor | None = None
        for one, other, part in columns:
            scores = functional.linear(self._products(one, other), part, bias)
            total, bias = scores if total is None else total + scores, None
        assert total is not None  # noqa: S101 - a vector has at least one group
        return total

    def _products(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the products of the vectors' numbers, group by group: shape (n, width * block)."""
        groups = first.shape[1] // self.block
        products = first.reshape(-1, groups, self.block, 1) @ second.reshape(-1, groups, 1, self.block)
        return products.flatten(1)
