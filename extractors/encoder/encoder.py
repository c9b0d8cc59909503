"""A pretrained transformer that encodes passages of any length in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PretrainedConfig
from transformers.utils import logging

from extractors.encoder import self_attention
from extractors.encoder.device import to_device
from extractors.encoder.encoder_output import EncoderOutput
from extractors.encoder.featurizer import SHAPES, Passage
from extractors.encoder.last_layer_attention import LastAttention, WindowBatch
from extractors.encoder.mpnet import fuse_attention

# Windows are padded to a multiple of this, whatever else is in the batch: the bits of a passage's states then do not
# depend on its neighbours, and graphs do not depend on how documents were batched.
BUCKET = 64
# The same in training, where documents of a batch have similar lengths and share a pass.
TRAINING_BUCKET = 16


# Entities beyond this share one order embedding.
ORDERS = 64


class Encoder(nn.Module):
    """A Hugging Face encoder that reads passages in overlapping windows and knows the shape of words.

    Args:
        config: configuration of the backbone.
        special_ids: ids put before and after every window (`[CLS]`, `[SEP]`).
        window: pieces in a window, special tokens included; windows overlap by half.
        entity_types: number of types if given entities are marked in the input; else 0.
        layers: how many of the last layers are averaged to the states.
    """

    def __init__(
        self,
        config: PretrainedConfig,
        special_ids: tuple[int, int],
        window: int,
        entity_types: int = 0,
        layers: int = 1,
    ) -> None:
        super().__init__()
        mpnet = config.model_type == "mpnet"
        self.backbone = AutoModel.from_config(  # type: ignore[no-untyped-call]
            config, attn_implementation="eager" if mpnet else self_attention.NAME, **_without_pooler(config)
        )
        if mpnet:
            fuse_attention(self.backbone)
        self.shape_embedding = nn.Embedding(SHAPES, config.hidden_size)
        nn.init.zeros_(self.shape_embedding.weight)  # training starts from the pretrained input
        self.type_embedding = self.order_embedding = None
        if entity_types:
            self.type_embedding = nn.Embedding(entity_types + 1, config.hidden_size)
            self.order_embedding = nn.Embedding(ORDERS, config.hidden_size)
            nn.init.zeros_(self.type_embedding.weight)
            nn.init.normal_(self.order_embedding.weight, std=0.02)
        self.special_ids = special_ids
        self.window = window
        self.layers = layers
        self.width: int = config.hidden_size

    def load_backbone(self, folder: str) -> None:
        """Read the pretrained weights of the backbone from a folder, or from a hub if the user names a hub model."""
        # The weights left out (a pooler, a language model's head) are left out on purpose: no report about them.
        with _quiet_transformers():
            config = AutoConfig.from_pretrained(folder)
            pretrained = AutoModel.from_pretrained(folder, **_without_pooler(config))
        self.backbone.load_state_dict(pretrained.float().state_dict())

    def forward(self, passages: Sequence[Passage]) -> EncoderOutput:
        """Encode the passages."""
        device = self.shape_embedding.weight.device
        windows, _ = cut_windows([len(p.pieces) for p in passages], self.window - 2)
        pieces = np.concatenate([p.pieces for p in passages])
        first, last = len(pieces), len(pieces) + 1  # rows of the two special tokens
        embedded = self._embed(pieces, passages)
        lengths = windows[:, 1] - windows[:, 0]
        padded = self._padded(lengths + 2)
        states: list[Tensor] = []
        places: list[NDArrayInt] = []
        batches: list[WindowBatch] = []
        for size in np.unique(padded):  # at most window / BUCKET rounds
            chosen = windows[padded == size]
            length = (chosen[:, 1] - chosen[:, 0])[:, None]
            column = np.arange(size)[None, :]
            inside = (column >= 1) & (column <= length)
            place = np.where(inside, chosen[:, :1] + column - 1, last)
            place[:, 0] = first
            hidden, inputs = self._read(
                functional.embedding(to_device(torch.from_numpy(place), device), embedded),
                to_device(torch.from_numpy(column < length + 2), device),
            )
            states.append(hidden[to_device(torch.from_numpy(inside), device)])
            places.append(place[inside])
            batches.append(WindowBatch(inputs, chosen[:, 0], chosen[:, 1]))
        sizes = np.cumsum([0] + [len(p.pieces) for p in passages])
        attention = LastAttention(self.backbone, batches, sizes)
        everything = torch.cat(states)
        target = np.concatenate(places)
        if len(target) == len(pieces):  # no overlap: only put the rows back into order
            order = np.empty(len(target), np.int64)
            order[target] = np.arange(len(target))
            return EncoderOutput(everything[to_device(torch.from_numpy(order), device)], attention)
        index = to_device(torch.from_numpy(target), device)
        total = everything.new_zeros(len(pieces), self.width).index_add(0, index, everything)
        count = torch.bincount(index, minlength=len(pieces)).to(total.dtype)
        return EncoderOutput(total / count[:, None], attention)

    def _padded(self, lengths: NDArrayInt) -> NDArrayInt:
        """Return the size that each window is padded to."""
        if self.training and torch.is_grad_enabled():
            # One pass for all windows: each further pass would add to the gradients of all weights once more.
            lengths = np.full_like(lengths, lengths.max(initial=0))
            return -(-lengths // TRAINING_BUCKET) * TRAINING_BUCKET
        return -(-lengths // BUCKET) * BUCKET

    def _embed(self, pieces: NDArrayInt, passages: Sequence[Passage]) -> Tensor:
        """Return the input vectors of all pieces and of the two special tokens after them."""
        device = self.shape_embedding.weight.device

        def place(rows: Sequence[NDArray[Any]], special: int) -> Tensor:
            joined = np.concatenate([*rows, [special, special]]).astype(np.int64)
            return to_device(torch.from_numpy(joined), device)

        ids = to_device(torch.from_numpy(np.append(pieces, self.special_ids).astype(np.int64)), device)
        shapes = place([p.shapes for p in passages], -1)
        embedded: Tensor = self.backbone.get_input_embeddings()(ids)
        embedded = embedded + self.shape_embedding(shapes.clamp(min=0)) * (shapes >= 0)[:, None]
        if self.type_embedding is not None and self.order_embedding is not None:
            orders = place([p.orders for p in passages], -1)
            types = place([p.types for p in passages], 0)
            known = self.type_embedding(types) + self.order_embedding(orders.clamp(0, ORDERS - 1))
            embedded = embedded + known * (orders >= 0)[:, None]
        return embedded

    def _read(self, embedded: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states and what the last layer read."""
        output = self.backbone(inputs_embeds=embedded, attention_mask=mask.long(), output_hidden_states=True)
        layers: tuple[Tensor, ...] = output.hidden_states
        if self.layers == 1:
            return layers[-1], layers[-2]
        return torch.stack(layers[-self.layers :]).mean(0), layers[-2]


NDArrayInt = NDArray[np.int64]


def cut_windows(lengths: Sequence[int], size: int) -> tuple[NDArrayInt, NDArrayInt]:
    """Cut concatenated sequences into windows of at most `size` that overlap by half.

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


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Silence the messages and progress bars of transformers for a while."""
    verbosity, progress_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if progress_bar:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _without_pooler(config: PretrainedConfig) -> dict[str, bool]:
    return {"add_pooling_layer": False} if config.model_type in {"bert", "roberta", "mpnet", "xlm-roberta"} else {}
