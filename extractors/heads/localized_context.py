"""Localized context pooling (ATLOP; DocRE-II equation 1, DocuNet equation 5): what both entities attend to."""

from __future__ import annotations

import torch
from torch import Tensor

from extractors.heads.base import EntityPairs

# Cells (pairs x pieces) held at once; more are done in blocks of head entities.
CELLS = 1 << 24


def pair_attention(pairs: EntityPairs, first: int, last: int) -> Tensor:
    """Return A_s o A_o / 1^T (A_s o A_o) of equation 1, summed over attention heads.

    For head entities in columns [first, last) of the grid and all tail entities of their passages. One product of
    small matrices for every piece: nothing of the size pairs x attention heads x pieces is made.

    Returns:
        Shape (rows, last - first, widest, longest).
    """
    grid = pairs.grid
    # (b, widest, heads, pieces)
    attention: Tensor = pairs.entity_attention[grid.entity] * grid.inside[:, :, None, None]
    by_piece = attention.permute(0, 3, 1, 2)
    product = by_piece[:, :, first:last] @ by_piece.transpose(2, 3)
    product = product.permute(0, 2, 3, 1)
    return product / (product.sum(3, keepdim=True, dtype=torch.float32) + 1e-10).to(product.dtype)


def pair_context(pairs: EntityPairs) -> Tensor:
    """Return c_{s,o} of every candidate pair: shape (n, width)."""
    context = localized_context(pairs)
    return context.reshape(-1, context.shape[3])[pairs.grid.cell]


def localized_context(pairs: EntityPairs, states: Tensor | None = None) -> Tensor:
    """Return c_{s,o} = H^T (A_s o A_o) / 1^T (A_s o A_o) for all cells of the grid (DocRE-II equation 1).

    Args:
        pairs: the encoded documents.
        states: H, shape (rows, longest, width); the padded states if absent.

    Returns:
        Shape (rows, widest, widest, width); cells outside the grid hold zeros.
    """
    states = pairs.padded_states if states is None else states
    passages, longest, width = states.shape
    widest = pairs.grid.entity.shape[1]
    block = max(1, CELLS // max(1, passages * widest * longest))
    blocks = []
    for first in range(0, widest, block):
        weights = pair_attention(pairs, first, min(first + block, widest))
        blocks.append((weights.flatten(1, 2) @ states).view(passages, -1, widest, width))
    return torch.cat(blocks, 1) if blocks else states.new_zeros(passages, 0, 0, width)
