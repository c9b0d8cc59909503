"""Recurrent layers over padded sequences, and the attention that makes one vector of each (HIN section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class BiLSTM(nn.Module):
    """A bidirectional LSTM that never reads padding.

    Two LSTMs of one direction each, the second over sequences turned round within their length: padding then always
    follows what is read. Packed sequences would do the same on the CPU in five times the time.

    Args:
        inputs: width of the inputs.
        outputs: width of the outputs, both directions together; an even number.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        if outputs % 2:
            raise ValueError(f"a BiLSTM of width {outputs} cannot be split into two directions: choose an even width")
        self.ahead = nn.LSTM(inputs, outputs // 2, batch_first=True)
        self.back = nn.LSTM(inputs, outputs // 2, batch_first=True)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Read sequences.

        Args:
            values: shape (b, longest, inputs).
            lengths: shape (b,).

        Returns:
            Shape (b, longest, outputs), zeros after the end of each sequence.
        """
        count, longest, _ = values.shape
        column = torch.arange(longest, device=values.device)
        inside = column < lengths[:, None]
        turned = torch.where(inside, lengths[:, None] - 1 - column, column)
        row = turned + longest * torch.arange(count, device=values.device)[:, None]
        ahead, _ = self.ahead(values)
        back, _ = self.back(functional.embedding(row, values.flatten(0, 1)))
        back = functional.embedding(row, back.flatten(0, 1))
        both: Tensor = torch.cat([ahead, back], 2) * inside[:, :, None]
        return both


class AttentionPool(nn.Module):
    """Vanilla attention: the sum of a sequence, weighted by how informative each vector is (HIN equations 7 to 9).

    Args:
        width: width of the vectors.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)  # W_w and b_w
        self.outer = nn.Linear(width, 1, bias=False)  # u_w

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Return one vector per sequence: from (b, longest, width) and lengths (b,) to (b, width)."""
        scores = self.outer(torch.tanh(self.inner(values))).squeeze(2).float()
        outside = torch.arange(values.shape[1], device=values.device) >= lengths[:, None]
        weights = scores.masked_fill(outside, -torch.inf).softmax(1).to(values.dtype)
        pooled: Tensor = (weights[:, None, :] @ values).squeeze(1)
        return pooled
