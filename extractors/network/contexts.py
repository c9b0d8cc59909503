"""Context vectors: where an entity and its passage lie in the encoder's space, small enough to keep for each."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from extractors.heads.base import EntityPairs

# Signs of a random projection keep angles to about one part in eight (Johnson and Lindenstrauss, 1984).
DIMENSIONS = 64
_SEED = 64
# Parts of one in which states are counted: sums of whole numbers are the same in any order.
_PARTS = 1024


def context_vectors(pairs: EntityPairs) -> NDArray[np.int64]:
    """Return what the entities of passages look like in their contexts: shape (e, DIMENSIONS).

    An entity's vector is the maximum over its mentions plus the mean of its passage, projected. Vectors of one entity
    in several passages may be added.
    """
    seen = pairs.entities.float() + pairs.encoded.passage_means[pairs.layout.entity_passage]
    counted = np.rint(seen.double().cpu().numpy() * _PARTS)
    # Whole numbers far below 2^53: floats hold their sums exactly, and are multiplied many times quicker.
    projected: NDArray[np.int64] = (counted @ _signs(counted.shape[1])).astype(np.int64)
    return projected


def pack(vector: NDArray[np.int64]) -> bytes:
    """Return the direction of a vector as signed bytes, the largest of them 127 or -127."""
    largest = max(1, int(np.abs(vector).max()))
    packed: NDArray[np.int8] = np.rint(vector * (127 / largest)).astype(np.int8)
    return packed.tobytes()


@lru_cache(maxsize=4)
def _signs(width: int) -> NDArray[np.float64]:
    return np.random.Generator(np.random.PCG64(_SEED)).integers(0, 2, (width, DIMENSIONS)).astype(np.float64) * 2 - 1
