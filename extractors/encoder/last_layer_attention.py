"""Attention of the encoder's last layer, recomputed for the few pieces that need it.

ATLOP's localized context pooling needs the last layer's attention from each mention to the whole document. The fused
attention kernels do not give it, and the eager ones would cost more in every layer than the whole computation here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from extractors.encoder.device import to_device

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WindowBatch:
    """Windows of one padded size as the last layer reads them.

    Attributes:
        inputs: what the last layer reads, shape (b, size, width); position 0 and the one after the last piece are the
            special tokens.
        start, end: pieces of each window, counted over the batch of passages, shape (b,).
    """

    inputs: Tensor
    start: Ints
    end: Ints


class LastAttention:
    """Attention rows of the last layer.

    Args:
        backbone: the encoder's transformer.
        batches: its windows.
        first: first piece of each passage, one more entry at the end, shape (passages + 1,).
    """

    def __init__(self, backbone: nn.Module, batches: Sequence[WindowBatch], first: Ints) -> None:
        self.layer = _LastLayer(backbone)
        self.batches = batches
        self.first = first

    def rows(self, pieces: Tensor, longest: int) -> Tensor:
        """Return how much each of some pieces attends to every piece of its passage.

        A piece that several windows hold gets the mean of its rows. What goes to the special tokens is left out, so
        rows sum to less than one.

        Args:
            pieces: positions in the batch of passages, on the host, shape (m,).
            longest: length of the rows; their passages are not longer.

        Returns:
            Shape (m, heads, longest), zero after the end of the passage.
        """
        asked = pieces.numpy()
        base = self.first[np.searchsorted(self.first, asked, side="right") - 1]
        total: Tensor | None = None
        windows = torch.zeros(len(asked))
        for batch in self.batches:
            row, window = ((asked[:, None] >= batch.start) & (asked[:, None] < batch.end)).nonzero()
            if not len(row):
                continue
            device = batch.inputs.device
            found = self.layer.attention(
                batch,
                to_device(torch.from_numpy(window), device),
                to_device(torch.from_numpy(asked[row] - batch.start[window] + 1), device),
            )
            # Column j of the passage is column j - (start - base) + 1 of the window.
            column = np.arange(longest) - (batch.start[window] - base[row])[:, None] + 1
            inside = (column >= 1) & (column <= (batch.end - batch.start)[window][:, None])
            place = to_device(torch.from_numpy(np.where(inside, column, 0)), device)
            moved = found.gather(2, place[:, None, :].expand(-1, found.shape[1], -1))
            moved = moved * to_device(torch.from_numpy(inside), device)[:, None, :]
            if total is None:
                total = moved.new_zeros(len(asked), moved.shape[1], moved.shape[2])
            total = total.index_add(0, to_device(torch.from_numpy(row), device), moved)
            windows.index_add_(0, torch.from_numpy(row), torch.ones(len(row)))
        if total is None:
            return self.batches[0].inputs.new_zeros(0, self.layer.heads, longest)
        return total / windows.to(total)[:, None, None]


class _LastLayer:
    """Queries and keys of the last layer of the transformers that have them in the way of BERT or of MPNet."""

    def __init__(self, backbone: nn.Module) -> None:
        encoder: Any = backbone.encoder
        attention = encoder.layer[-1].attention
        if hasattr(attention, "attn"):  # MPNet
            self.query, self.key = attention.attn.q, attention.attn.k
            self.bias: _RelativePositions | None = _RelativePositions(encoder)
        elif hasattr(attention, "self") and hasattr(attention.self, "query"):  # BERT, RoBERTa, XLM-RoBERTa, ELECTRA
            self.query, self.key = attention.self.query, attention.self.key
            self.bias = None
        else:
            raise ValueError(
                f"the attention of a '{type(backbone).__name__}' cannot be read: use an encoder built like BERT or "
                "MPNet, or a relation head without localized context"
            )
        self.heads: int = backbone.config.num_attention_heads  # type: ignore[union-attr, assignment]

    def attention(self, batch: WindowBatch, window: Tensor, column: Tensor) -> Tensor:
        """Return attention probabilities over a window: shape (rows, heads, size)."""
        length = to_device(torch.from_numpy(batch.end - batch.start), window.device)[window] + 2
        # Other windows of the batch are left alone: who asks for few of them at a time pays for each once.
        chosen, window = torch.unique(window, return_inverse=True)
        states = batch.inputs[chosen] if len(chosen) < len(batch.inputs) else batch.inputs
        count, size, width = states.shape
        depth = width // self.heads
        # Rows of one window side by side, so that the keys of a window are used where they are.
        order = torch.argsort(window, stable=True)
        first = torch.searchsorted(window[order], torch.arange(count, device=window.device))
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order), device=window.device) - first[window[order]]
        places = column.new_zeros(count, int(rank.max()) + 1).index_put((window, rank), column)
        asking = states.gather(1, places[:, :, None].expand(-1, -1, width))
        query = self.query(asking).view(count, -1, self.heads, depth).transpose(1, 2)
        key = self.key(states).view(count, size, self.heads, depth).transpose(1, 2)
        scores = query @ key.transpose(2, 3) / depth**0.5
        found = scores.transpose(1, 2)[window, rank].float()
        if self.bias is not None:
            found = found + self.bias.rows(column, size).float()
        outside = torch.arange(size, device=window.device) >= length[:, None]
        rows: Tensor = found.masked_fill(outside[:, None, :], -torch.inf).softmax(2)
        return rows.to(batch.inputs.dtype)


class _RelativePositions:
    """The position bias of MPNet for some rows of a window: transformers makes it for all, at many times the cost."""

    def __init__(self, encoder: Any) -> None:
        self.bucket = encoder.relative_position_bucket
        self.embedding: nn.Embedding = encoder.relative_attention_bias

    def rows(self, column: Tensor, size: int) -> Tensor:
        """Return what is added to the scores of the pieces in some columns of a window: shape (rows, heads, size)."""
        relative = torch.arange(size, device=column.device) - column[:, None]
        bias: Tensor = self.embedding(self.bucket(relative, num_buckets=self.embedding.num_embeddings))
        return bias.transpose(1, 2)
