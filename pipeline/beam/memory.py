"""Keep freed memory in the process, where the C library would hand it back and fault it in again for every batch."""

from __future__ import annotations

import ctypes
import platform
from contextlib import suppress

# Names of glibc's mallopt parameters (malloc.h).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3


def keep_memory() -> None:
    """Tell glibc to keep up to 2 GiB of freed memory; does nothing with another C library."""
    if platform.libc_ver()[0] != "glibc":
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)  # the largest value that glibc takes
        libc.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)
        libc.mallopt(_TOP_PAD, 64 << 20)
