"""Near duplicates: documents with almost the same text, recognised by MinHash signatures of their shingles.

A shingle is five consecutive words. The share of shingles that two texts have in common (Jaccard's coefficient) is
estimated by the share of equal places in their signatures (Broder, 1997); documents that agree in one of the bands of
their signatures are compared (locality-sensitive hashing). The result is a function of the two texts alone.
"""

from __future__ import annotations

import zlib

import numpy as np

from pipeline.merging import minhash
from schemas import Document

SHINGLE = 5
# Eight bands of six: texts that share 0.8 of their shingles collide with probability 0.91, with 0.9 with 0.998.
BANDS = 8
ROWS = 6
# The least share of equal places of near duplicates.
SIMILAR = 0.7


def signature(document: Document) -> bytes:
    """Return the signature of a document's text, 4 bytes for each place; empty for a document without words."""
    words = [zlib.crc32(word.casefold().encode("utf-8", "surrogatepass")) for word in document.words()]
    if not words:
        return b""
    shingles = _shingles(np.array(words, np.uint64))
    return minhash.signature(shingles, BANDS * ROWS)


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


def _shingles(words: minhash.Words) -> minhash.Words:
    """Return one well mixed number for every place of a shingle; a text with fewer words is one shingle."""
    count = max(1, len(words) - SHINGLE + 1)
    mixed = np.zeros(count, np.uint64)
    for place in range(min(SHINGLE, len(words))):
        mixed = minhash.mix(mixed + words[place : place + count])
    return mixed
