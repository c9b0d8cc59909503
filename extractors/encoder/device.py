"""The device that a model runs on, its precision and its batch size."""

from __future__ import annotations

from dataclasses import dataclass

import torch

# On a CPU larger batches are not faster, and their documents differ more in length, so that more is padded.
_CPU_BATCH = 4096
# The larger number keeps an accelerator busy; the smaller one is enough to run when little memory is free.
# What one piece or pair takes is an upper estimate for encoders of base size in two bytes per number; where it is too
# low for a document with very many pairs, the batch is halved (pipeline/extraction/inference.py).
_LEAST, _MOST = 1 << 12, 1 << 17
_BYTES_PER_COST = 1 << 18


@dataclass(frozen=True)
class Device:
    """Where the model runs, in which precision and batch size.

    Attributes:
        torch_device: the device in torch's terms.
        precision: type of weights and states.
        budget: pieces per forward pass; 0 means one passage at a time.
        batch_cost: pieces and entity pairs of the documents that are extracted together.
    """

    torch_device: torch.device
    precision: torch.dtype
    budget: int
    batch_cost: int = _CPU_BATCH


def accelerated() -> bool:
    """Return whether there is an accelerator, without allocating any of its memory."""
    return torch.cuda.is_available()


def choose_device() -> Device:
    """Return the best device there is.

    On a CPU with AMX or AVX-512 BF16 the matrix products of bfloat16 are fast, and each row of a product is the same
    to the bit whatever the other rows are. Single-precision products lack the second property, so that without
    such a CPU passages are read one at a time.
    """
    if accelerated():
        precision = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        batch_cost = fitted(torch.cuda.mem_get_info()[0])
        return Device(torch.device("cuda"), precision, budget=batch_cost, batch_cost=batch_cost)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return Device(torch.device("cpu"), torch.bfloat16, budget=1 << 12)
    return Device(torch.device("cpu"), torch.float32, budget=0)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 matrices itself; a CPU that emulates them is faster in float32."""
    if device.type != "cpu":
        return True
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def fitted(free: int) -> int:
    """Return how many pieces and pairs of a batch fit into the free bytes of an accelerator: a power of two.

    Half of the memory is left to weights, other processes and fragmentation.
    """
    batch_cost = _LEAST
    while batch_cost < _MOST and 2 * batch_cost * _BYTES_PER_COST <= free // 2:
        batch_cost *= 2
    return batch_cost


def to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a tensor of the host on a device; an accelerator need not wait for it to arrive."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
