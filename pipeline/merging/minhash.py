"""MinHash: signatures of sets, whose share of equal places estimates Jaccard's coefficient (Broder, 1997)."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
# Elements that are hashed at once.
_BLOCK = 4096


def mix(values: Words) -> Words:
    """Apply the finaliser of SplitMix64: every bit of the input changes about half of the bits of the output."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def signature(elements: Words, places: int) -> bytes:
    """Return the signature of a set of numbers, 4 bytes for each place."""
    factors, offsets = _hashes(places)
    least = np.full(places, np.iinfo(np.uint64).max, np.uint64)
    for start in range(0, len(elements), _BLOCK):
        hashed = elements[start : start + _BLOCK, None] * factors + offsets
        least = np.minimum(least, hashed.min(axis=0))
    return (least >> np.uint64(32)).astype("<u4").tobytes()


@cache
def _hashes(count: int) -> tuple[Words, Words]:
    """Return the factors (odd) and offsets of one hash function for every place of a signature."""
    places = np.arange(count, dtype=np.uint64)
    return mix(places) | np.uint64(1), mix(places + np.uint64(count))
