"""Fused attention for MPNet; transformers has only the eager form, which is several times slower."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.mpnet.modeling_mpnet import MPNetSelfAttention

from extractors.encoder.self_attention import attend


class FusedAttention(MPNetSelfAttention):
    """The same attention as other encoders have it here.

    The relative position bias gets no gradient: with one, the fused kernel would fall back to the slow form. It stays
    as it was pretrained.
    """

    def forward(  # type: ignore[override]
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
        **_: Any,
    ) -> tuple[Tensor]:
        """Return the attended states, shape (batch, length, width)."""
        batch, length, _width = hidden_states.shape
        shape = (batch, length, self.num_attention_heads, self.attention_head_size)
        query, key, value = (layer(hidden_states).view(shape).transpose(1, 2) for layer in (self.q, self.k, self.v))
        masks = [mask.detach() for mask in (position_bias, attention_mask) if mask is not None]
        context = attend(query, key, value, *masks)
        attended: Tensor = self.o(context.transpose(1, 2).reshape(batch, length, -1))
        return (attended,)


def fuse_attention(backbone: nn.Module) -> None:
    """Replace the attention of every layer of an MPNet by the fused one, over the same projections."""
    for layer in backbone.encoder.layer:  # type: ignore[union-attr]
        original = layer.attention.attn
        with torch.device("meta"):  # its own projections are never used
            fused = FusedAttention(backbone.config)  # type: ignore[no-untyped-call]
        for name, projection in original.named_children():
            setattr(fused, name, projection)
        layer.attention.attn = fused
