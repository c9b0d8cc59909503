"""Encoded passages, which every component reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from extractors.encoder.device import to_device
from extractors.encoder.last_layer_attention import LastAttention
from extractors.encoder.layout import Words
from extractors.encoder.range_max import RangeMax


@dataclass(frozen=True)
class EncoderOutput:
    """The output of the encoder for passages.

    Attributes:
        states: states of all pieces, passage after passage; where windows overlap, their mean; shape (pieces, width).
        attention: attention of the last layer, for the pieces that need it.
    """

    states: Tensor
    attention: LastAttention


class EncodedPassages:
    """The encoded passages and the positions of their words.

    Attributes:
        rows: states of all pieces, shape (pieces, width).
        attention: attention of the last layer, computed for the pieces that need it.
        words: positions of the words, on the host.
    """

    def __init__(self, output: EncoderOutput, words: Words) -> None:
        self.rows = output.states
        self.attention = output.attention
        self.words = words
        self.word_piece = self.to_device(words.piece)
        self.word_sentence = self.to_device(words.sentence)

    @property
    def device(self) -> torch.device:
        """The device of the states."""
        return self.rows.device

    @cached_property
    def states(self) -> RangeMax:
        """Range maxima over the states."""
        return RangeMax(self.rows, int(np.diff(self.words.piece[self.words.first]).max()))

    def to_device(self, positions: NDArray[np.int64]) -> Tensor:
        """Return host positions as a tensor on the device of the states."""
        return to_device(torch.from_numpy(np.ascontiguousarray(positions)), self.device)

    def pool(self, start: Tensor, end: Tensor) -> Tensor:
        """Return e(s) of JEREX's equation 1 for word ranges: shape (n, width)."""
        return self.states.pool(self.word_piece[start], self.word_piece[end])

    def first_pieces(self, words: Tensor) -> Tensor:
        """Return the first piece of each of some words, on the host: the opening marker of marked mentions."""
        return torch.from_numpy(self.words.piece)[words.cpu()]
