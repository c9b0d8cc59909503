"""The memory policy of processes that run the pipeline: few heaps, small caches, and free memory is returned.

glibc gives each thread a heap of its own, up to eight for every core, and each heap grows to the largest batch that its
threads ever ran. Beam runs many threads and every batch of the model runs in a new one, so without a limit memory grows
with the number of batches. Two heaps are enough: allocation takes a small part of the time.

A process sets the policy at its start, before it has threads: the command line and every worker do. The library never
does, because the policy holds for the whole process.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from functools import cache

# Parameters of glibc's mallopt (malloc.h), and their values.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_HEAPS = 2
# Freed blocks up to the largest size that glibc accepts stay in the heap, where the next batch of the model finds them
# without a page fault for each page; a heap returns what is free at its end beyond this.
_KEPT_BLOCK = 8 << 20
_KEPT_FREE = 256 << 20
_GROWTH = 16 << 20
KEPT_BY_TRAINING = (1 << 31) - 1
# torch keeps a compiled product for every shape that it ever met; this many are enough.
_CACHES = {"LRU_CACHE_CAPACITY": "32", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32"}


def set_memory_policy(kept_free: int = _KEPT_FREE) -> None:
    """Set the policy for this process; call this before it starts threads or imports torch.

    Args:
        kept_free: free bytes at the end of a heap that stay with the process; training keeps more, because its batches
            have similar sizes.

    Environment variables that are set already stay. With a C library other than glibc only the caches are limited.
    """
    for name, value in _CACHES.items():
        os.environ.setdefault(name, value)
    if platform.libc_ver()[0] != "glibc":
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        if "MALLOC_ARENA_MAX" not in os.environ:
            libc.mallopt(_ARENA_MAX, _HEAPS)
        libc.mallopt(_MMAP_THRESHOLD, _KEPT_BLOCK)
        libc.mallopt(_TRIM_THRESHOLD, kept_free)
        libc.mallopt(_TOP_PAD, _GROWTH)


def release_free_memory() -> None:
    """Return free memory to the system; with a C library other than glibc only what Arrow holds.

    Blocks of a shuffle grow and end in any order, so free memory lies between memory in use, and a worker would
    otherwise hold the sum of what all stages of a pipeline need instead of the largest of them.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
