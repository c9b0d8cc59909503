"""One pass of a pretrained transformer over passages of any length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PretrainedConfig
from transformers.utils import logging

from extractors.prepare import SHAPES, Passage

# Windows are padded to a multiple of this, whatever else is in the batch: the bits of a passage's states then do not
# depend on its neighbours, and graphs do not depend on how documents were batched.
BUCKET = 64


class Encoder(nn.Module):
    """A Hugging Face encoder that reads passages in overlapping windows and knows the shape of words.

    Args:
        config: configuration of the backbone.
        special_ids: ids put before and after every window (`[CLS]`, `[SEP]`).
        window: pieces in a window, special tokens included; windows overlap by half.
    """

    def __init__(self, config: PretrainedConfig, special_ids: tuple[int, int], window: int) -> None:
        super().__init__()
        self.backbone = AutoModel.from_config(  # type: ignore[no-untyped-call]
            config, attn_implementation="sdpa", **_without_pooler(config)
        )
        self.shape_embedding = nn.Embedding(SHAPES, config.hidden_size)
        nn.init.zeros_(self.shape_embedding.weight)  # training starts from the pretrained input
        self.special_ids = special_ids
        self.window = window
        self.width: int = config.hidden_size

    @classmethod
    def from_backbone(cls, folder: str, special_ids: tuple[int, int], window: int) -> Encoder:
        """Read the pretrained weights of a backbone from a folder, or from a hub if the user names a hub model."""
        # The weights left out (a pooler, a language model's head) are left out on purpose: no report about them.
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        config = AutoConfig.from_pretrained(folder)
        encoder = cls(config, special_ids, window)
        encoder.backbone = AutoModel.from_pretrained(folder, attn_implementation="sdpa", **_without_pooler(config))
        encoder.backbone.float()
        return encoder

    def forward(self, passages: Sequence[Passage]) -> Tensor:
        """Encode the passages.

        Returns:
            The states of all pieces, passage after passage: shape (pieces, width). Where windows overlap, their mean.
        """
        device = self.shape_embedding.weight.device
        windows, _ = cut_windows([len(p.pieces) for p in passages], self.window - 2)
        pieces = np.concatenate([p.pieces for p in passages])
        shapes = np.concatenate([p.shapes for p in passages])
        first, last = len(pieces), len(pieces) + 1  # rows of the two special tokens
        embedded = self._embed(
            torch.from_numpy(np.append(pieces, self.special_ids)).to(device),
            torch.from_numpy(np.append(shapes, [-1, -1]).astype(np.int64)).to(device),
        )
        lengths = windows[:, 1] - windows[:, 0]
        padded = -(-(lengths + 2) // BUCKET) * BUCKET
        states: list[Tensor] = []
        places: list[NDArrayInt] = []
        for size in np.unique(padded):  # at most window / BUCKET rounds
            chosen = windows[padded == size]
            length = (chosen[:, 1] - chosen[:, 0])[:, None]
            column = np.arange(size)[None, :]
            inside = (column >= 1) & (column <= length)
            place = np.where(inside, chosen[:, :1] + column - 1, last)
            place[:, 0] = first
            hidden = self._read(
                functional.embedding(torch.from_numpy(place).to(device), embedded),
                torch.from_numpy(column < length + 2).to(device),
            )
            states.append(hidden[torch.from_numpy(inside).to(device)])
            places.append(place[inside])
        everything = torch.cat(states)
        target = np.concatenate(places)
        if len(target) == len(pieces):  # no overlap: only put the rows back into order
            order = np.empty(len(target), np.int64)
            order[target] = np.arange(len(target))
            return everything[torch.from_numpy(order).to(device)]
        index = torch.from_numpy(target).to(device)
        total = everything.new_zeros(len(pieces), self.width).index_add(0, index, everything)
        count = torch.bincount(index, minlength=len(pieces)).to(total.dtype)
        return total / count[:, None]

    def _embed(self, ids: Tensor, shapes: Tensor) -> Tensor:
        shaped = self.shape_embedding(shapes.clamp(min=0)) * (shapes >= 0)[:, None]
        words: Tensor = self.backbone.get_input_embeddings()(ids)
        embedded: Tensor = words + shaped
        return embedded

    def _read(self, embedded: Tensor, mask: Tensor) -> Tensor:
        hidden: Tensor = self.backbone(inputs_embeds=embedded, attention_mask=mask.long()).last_hidden_state
        return hidden


NDArrayInt = np.ndarray[Any, np.dtype[np.int64]]


def cut_windows(lengths: Sequence[int], size: int) -> tuple[NDArrayInt, NDArrayInt]:
    """Cut sequences that lie one after the other into windows of at most `size` that overlap by half.

    Returns:
        (start, end) of every window in the concatenation, shape (windows, 2), and the sequence of each, (windows,).
    """
    sizes = np.asarray(lengths, np.int64)
    step = size // 2
    counts = np.where(sizes <= size, 1, -(-(sizes - size) // step) + 1)
    owner = np.repeat(np.arange(len(sizes)), counts)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    offset = np.cumsum(sizes) - sizes
    # The last window ends with the sequence, so that it is a full one.
    start = np.minimum(rank * step, np.maximum(sizes[owner] - size, 0))
    end = np.minimum(start + size, sizes[owner])
    return np.stack([start + offset[owner], end + offset[owner]], axis=1), owner


def _without_pooler(config: PretrainedConfig) -> dict[str, bool]:
    return {"add_pooling_layer": False} if config.model_type in {"bert", "roberta", "mpnet", "xlm-roberta"} else {}
