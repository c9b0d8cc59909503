"""Where the model runs, in which precision, and how much it takes at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Device:
    """A place to run.

    Attributes:
        place: the torch device.
        precision: type of weights and states.
        budget: pieces per forward pass; 0 means one passage at a time.
    """

    place: torch.device
    precision: torch.dtype
    budget: int


def choose_device() -> Device:
    """Return the best device there is.

    On a CPU with AMX or AVX-512 BF16 the matrix products of bfloat16 are fast, and each row of a product is the same
    to the bit whatever the other rows are. Single-precision products lack the second property, so that without
    such a CPU passages are read one at a time.
    """
    if torch.cuda.is_available():
        precision = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Device(torch.device("cuda"), precision, budget=1 << 16)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return Device(torch.device("cpu"), torch.bfloat16, budget=1 << 12)
    return Device(torch.device("cpu"), torch.float32, budget=0)
