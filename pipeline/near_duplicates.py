"""Near duplicates: documents whose texts are almost the same, told by MinHash signatures of their shingles.

A shingle is five words in a row. The share of shingles that two texts have in common (Jaccard's coefficient) is about
the share of equal places in their signatures (Broder, 1997); documents that agree in one of the bands of their
signatures are compared (locality-sensitive hashing). All of it is a function of the two texts alone.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from schemas import Document

SHINGLE = 5
# Eight bands of six: texts that share 0.8 of their shingles meet with a probability of 0.91, those with 0.9 with 0.998.
BANDS = 8
ROWS = 6
# From this share of equal places on, one text counts as a copy of the other.
SIMILAR = 0.7
_BLOCK = 4096

_Words = NDArray[np.uint64]


def signature(document: Document) -> bytes:
    """Return the signature of a document's text, 4 bytes for each place; empty for a document without words."""
    words = [zlib.crc32(word.casefold().encode("utf-8", "surrogatepass")) for word in document.words()]
    if not words:
        return b""
    shingles = _shingles(np.array(words, np.uint64))
    factors, offsets = _hashes()
    least = np.full(BANDS * ROWS, np.iinfo(np.uint64).max, np.uint64)
    for start in range(0, len(shingles), _BLOCK):
        hashed = shingles[start : start + _BLOCK, None] * factors + offsets
        least = np.minimum(least, hashed.min(axis=0))
    return (least >> np.uint64(32)).astype("<u4").tobytes()


def bands(signature: bytes) -> list[bytes]:
    """Return what documents are brought together by, one key for each band."""
    size = len(signature) // BANDS
    return [bytes([band]) + signature[band * size : (band + 1) * size] for band in range(BANDS if signature else 0)]


def similarity(one: bytes, other: bytes) -> float:
    """Return about which share of all shingles of two texts both have, from their signatures."""
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))


def are_similar(one: bytes, other: bytes) -> bool:
    """Tell whether two documents are near duplicates."""
    return similarity(one, other) >= SIMILAR


def _shingles(words: _Words) -> _Words:
    """Return one well mixed number for every shingle; a text with fewer words is one shingle."""
    count = max(1, len(words) - SHINGLE + 1)
    mixed = np.zeros(count, np.uint64)
    for place in range(min(SHINGLE, len(words))):
        mixed = _mix(mixed + words[place : place + count])
    return np.unique(mixed)


def _mix(values: _Words) -> _Words:
    """The finaliser of SplitMix64: every bit of the input changes about half of the bits of the output."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _hashes() -> tuple[_Words, _Words]:
    """Return the factors (odd) and offsets of one hash function for every place of a signature."""
    places = np.arange(BANDS * ROWS, dtype=np.uint64)
    return _mix(places) | np.uint64(1), _mix(places + np.uint64(BANDS * ROWS))
