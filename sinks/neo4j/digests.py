"""Digests of large sets in a few bytes per element, which show where two sets differ.

Elements fall into buckets by the first digits of an id, which is a content hash. The digest of a bucket is the sum of
the hashes of its elements, so it does not depend on the order of the elements or on how their tables are split.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_MOST_BITS = 20
# Hexadecimal digits of an id that determine the bucket of its element.
_DIGITS = 8
_BYTES = pa.large_binary()
_NOTHING = pa.scalar(b"", _BYTES)

# A half-open range of ids: from the first, up to but not including the second.
Range = tuple[str, str]
Column: TypeAlias = pa.Array | pa.ChunkedArray


class Digests:
    """The digests of the elements of one kind, 8 bytes for each of `2 ** n` buckets.

    Args:
        buckets: the minimum number of buckets, capped at a million.
    """

    def __init__(self, buckets: int = 1) -> None:
        self._sums = np.zeros(1 << min(_MOST_BITS, max(0, buckets - 1).bit_length()), np.uint64)

    @classmethod
    def from_bytes(cls, data: bytes) -> Digests:
        """Restore digests from their bytes."""
        digests = cls()
        digests._sums = np.frombuffer(data, "<u8").astype(np.uint64)
        return digests

    def __bytes__(self) -> bytes:
        return self._sums.astype("<u8").tobytes()

    def add(self, ids: Column, elements: npt.NDArray[np.uint64]) -> None:
        """Add elements, given by one hash each, to the buckets of the ids."""
        np.add.at(self._sums, _bucket(ids, len(self._sums)), elements)

    def differing(self, other: Digests) -> Buckets:
        """Return the buckets that differ, at the resolution of the coarser of the two."""
        size = min(len(self._sums), len(other._sums))
        mine, theirs = (sums.reshape(size, -1).sum(1) for sums in (self._sums, other._sums))
        return Buckets(mine != theirs)


class Buckets:
    """A selection of `2 ** n` buckets.

    Args:
        chosen: for each bucket, whether it belongs to the selection.
    """

    def __init__(self, chosen: npt.NDArray[np.bool_]) -> None:
        self._chosen = chosen

    def __len__(self) -> int:
        return int(self._chosen.sum())

    def hold(self, ids: Column) -> pa.BooleanArray:
        """Return for each id whether its bucket is selected."""
        return pa.array(self._chosen[_bucket(ids, len(self._chosen))])

    def ranges(self) -> list[Range]:
        """Return the ranges of ids in the selected buckets."""
        places = np.flatnonzero(np.diff(self._chosen, prepend=False, append=False)).tolist()
        step = 16**_DIGITS // len(self._chosen)
        bounds = [f"{place * step:0{_DIGITS}x}" if place < len(self._chosen) else "g" for place in places]
        return list(zip(bounds[::2], bounds[1::2], strict=True))

    def prefixes(self) -> list[str]:
        """Return the shortest prefixes of ids that identify the selected buckets."""
        digits = -(-(len(self._chosen) - 1).bit_length() // 4)
        places = np.flatnonzero(np.repeat(self._chosen, 16**digits // len(self._chosen))).tolist()
        return [f"{place:x}".zfill(digits) if digits else "" for place in places]


def hashes(columns: Sequence[Column]) -> npt.NDArray[np.uint64]:
    """Return 64 bits of BLAKE2b over each row, the same in every process.

    Args:
        columns: strings, lists of strings, and numbers, without nulls. The lengths of strings and lists are hashed
            too, so different rows never have the same bytes.
    """
    numbers, texts = [], []
    for column in columns:
        values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_list(values.type):
            lengths = pc.list_value_length(values)
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            numbers.append(lengths)
            texts.append(pc.binary_join(pa.LargeListArray.from_arrays(offsets, _measured(values.flatten())), _NOTHING))
        elif pa.types.is_string(values.type):
            texts.append(_measured(values))
        else:
            numbers.append(values)
    parts = [*([_packed(numbers)] if numbers else []), *texts]
    rows = pc.binary_join_element_wise(*parts, _NOTHING).to_pylist()
    return np.frombuffer(b"".join([blake2b(row, digest_size=8).digest() for row in rows]), "<u8")


def _measured(texts: pa.StringArray) -> pa.LargeBinaryArray:
    """Return strings, each preceded by its length."""
    return pc.binary_join_element_wise(_packed([pc.binary_length(texts)]), texts.cast(_BYTES), _NOTHING)


def _packed(numbers: Sequence[pa.Array]) -> pa.LargeBinaryArray:
    """Return columns of numbers as one binary column with 8 bytes per number."""
    rows = np.stack([_eight_bytes(column) for column in numbers], axis=1)
    data = pa.py_buffer(rows.tobytes())
    return pa.Array.from_buffers(pa.binary(8 * len(numbers)), len(rows), [None, data]).cast(_BYTES)


def _eight_bytes(numbers: pa.Array) -> npt.NDArray[np.int64]:
    if pa.types.is_floating(numbers.type):
        return np.asarray(numbers, "<f8").view("<i8")
    return np.asarray(numbers.cast(pa.int64()), "<i8")


def _bucket(ids: Column, buckets: int) -> npt.NDArray[np.int64]:
    """Return the bucket of each id."""
    first = np.array([int(id[:_DIGITS], 16) for id in ids.to_pylist()], np.int64)
    return first * buckets >> 4 * _DIGITS
