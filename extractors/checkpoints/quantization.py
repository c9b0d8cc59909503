"""Quantization of the weights in a checkpoint: half precision, large embedding tables in eight bits.

Half of a compact encoder's weights are its word embeddings. With eight bits a value and one scale a row their error
is half a percent, far below the variance of training, and they take half the space.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from extractors.checkpoints.checkpoint import SCALE

# Embedding tables from this many values on are kept in eight bits.
LARGE = 1_000_000


def quantized(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights in the form of `model.safetensors`."""
    packed: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name.endswith("word_embeddings.weight") and tensor.numel() >= LARGE:
            scale = tensor.detach().float().abs().amax(1).clamp(min=1e-8) / 127
            packed[name + SCALE] = scale.half()
            rows = tensor.detach().float() / scale.half().float()[:, None]
            packed[name] = rows.round().clamp(-127, 127).to(torch.int8)
        else:
            packed[name] = tensor.detach().half().contiguous()
    return packed


def dequantized(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of `model.safetensors` in single precision."""
    weights: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(SCALE):
            continue
        scale = packed.get(name + SCALE)
        weights[name] = tensor.float() if scale is None else tensor.float() * scale.float()[:, None]
    return weights
