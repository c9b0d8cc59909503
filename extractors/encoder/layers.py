"""Layers of the components of JEREX, and a dropout that is fast on CPUs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

# A part of a concatenation: rows, and which row each output takes (None: one row each, in order).
Part = tuple[Tensor, Tensor | None]


class ConcatLinear(nn.Linear):
    """A linear layer over a concatenation of parts, where each part is picked from few distinct rows.

    W [a; b; c] = W_a a + W_b b + W_c c: every distinct row is multiplied once, then the products are looked up and
    added. A pair representation of n^2 rows thus costs n multiplications, and the concatenation is never made.
    """

    def forward(self, parts: Sequence[Part]) -> Tensor:  # type: ignore[override]
        """Return the layer's output.

        Args:
            parts: (rows, index) with rows (k_i, d_i) and index (n,) or None when k_i = n; the d_i add up to
                `in_features`.

        Returns:
            Shape (n, out_features).
        """
        widths = [rows.shape[1] for rows, _ in parts]
        total: Tensor | None = None
        for (rows, index), weight in zip(parts, torch.split(self.weight, widths, dim=1), strict=True):
            # The bias joins the first part, so that it costs nothing.
            product = functional.linear(rows, weight, self.bias if total is None else None)
            if index is not None:
                product = functional.embedding(index, product)
            total = product if total is None else total + product
        assert total is not None  # noqa: S101 - parts is never empty
        return total


class Dropout(nn.Module):
    """Dropout that draws eight mask bytes from one random number: on CPUs it takes two thirds of the time of torch's.

    Args:
        rate: share of values set to zero, to 1/256.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.threshold = round(rate * 256)

    def forward(self, values: Tensor) -> Tensor:
        """Return the values, in training with some set to zero and the rest scaled up."""
        if not self.training or not self.threshold:
            return values
        limit = torch.iinfo(torch.int64)
        draws = torch.randint(limit.min, limit.max, (values.numel() // 8 + 1,), device=values.device)
        kept = draws.view(torch.uint8)[: values.numel()].view(values.shape) >= self.threshold
        return values * kept * (256 / (256 - self.threshold))


class FeedForward(nn.Module):
    """FFNN of the paper: two layers with an inner ReLU (section 3.1), the first over a concatenation.

    Args:
        inputs: width of the concatenation.
        hidden: width of the inner layer.
        outputs: number of scores.
        dropout: rate on the inner layer.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.inner = ConcatLinear(inputs, hidden)
        self.dropout = Dropout(dropout)
        self.outer = nn.Linear(hidden, outputs)

    def forward(self, *parts: Part) -> Tensor:
        """Return scores of shape (n, outputs) for the concatenation of the parts."""
        scores: Tensor = self.outer(self.hidden(*parts))
        return scores

    def hidden(self, *parts: Part) -> Tensor:
        """Return the inner layer: shape (n, hidden)."""
        inner: Tensor = self.dropout(torch.relu(self.inner(parts)))
        return inner
