"""Memory that is free goes back to the system, where the C library would keep it for as long as the process lives.

Blocks of a shuffle grow and go in any order, so that what is free lies between what is in use. A worker would take as
much as all stages of a pipeline need of different sizes, instead of what the largest one needs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import pyarrow as pa


def give_back() -> None:
    """Give back what is free; with a C library other than glibc only what Arrow has."""
    pa.default_memory_pool().release_unused()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
