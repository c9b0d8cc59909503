"""Self-attention of the encoder, with the fastest implementation for the device.

On CPUs, torch's fused kernel multiplies bfloat16 matrices block by block, without the units made for them: two plain
products with a softmax between take two thirds of its time, and a third with gradients (AMD EPYC with AVX-512 BF16).
They hold the scores of a batch, which is little for the few documents that a CPU reads at once. The fused kernel does
know AMX: on CPUs that have it, it takes two thirds of the time of the products, but with gradients twice as long.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

# The name by which transformers finds it.
NAME = "factmill"


def attend(query: Tensor, key: Tensor, value: Tensor, *masks: Tensor) -> Tensor:
    """Return softmax(query key^T / sqrt(depth) + masks) value: shape (batch, heads, length, depth), as all three have.

    Args:
        query, key, value: what attends, what it is compared with, and what it finds.
        masks: each True where a key is seen, or numbers to be added; broadcast to (batch, heads, length, length).
    """
    added = [_as_numbers(mask, query.dtype) for mask in masks]
    with_gradients = query.requires_grad and torch.is_grad_enabled()
    if query.device.type != "cpu" or query.dtype != torch.bfloat16 or (_has_amx() and not with_gradients):
        both = reduce(torch.add, added) if added else None
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=both)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    for mask in added:  # one after the other: their sum would be as large as the scores
        scores += mask
    attended: Tensor = scores.softmax(-1) @ value
    return attended


@cache
def _has_amx() -> bool:
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def _as_numbers(mask: Tensor, kind: torch.dtype) -> Tensor:
    return torch.where(mask, 0.0, -torch.inf).to(kind) if mask.dtype == torch.bool else mask.to(kind)


def _attend_for_transformers(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **more: Any
) -> tuple[Tensor, None]:
    # What encoders like BERT do not have is left to transformers.
    other = more.get("dropout") or any(more.get(name) is not None for name in ("position_bias", "softcap", "cache"))
    scaled = more.get("scaling") not in (None, query.shape[-1] ** -0.5)
    if other or scaled or key.shape != query.shape or getattr(module, "is_causal", True):
        return sdpa_attention_forward(module, query, key, value, attention_mask, **more)
    masks = () if attention_mask is None else (attention_mask,)
    return attend(query, key, value, *masks).transpose(1, 2), None


AttentionInterface.register(NAME, _attend_for_transformers)
AttentionMaskInterface.register(NAME, sdpa_mask)
