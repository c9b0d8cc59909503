"""Concatenates and escapes columns of text: Arrow arrays in, Arrow arrays out, no Python per row."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SPECIAL = np.array([byte < 0x20 or byte == 0x7F or chr(byte) in '"\\' for byte in range(256)])
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# The texts of a batch take tens of megabytes, which are freed once they are written. The allocator of the C library
# keeps such blocks for the next batch; Arrow's own returns them, and the kernel has to clear the pages again.
_POOL = pa.system_memory_pool()

# One text per row, in consecutive pieces: columns, or constants that are the same in all rows.
Pieces = list[pa.Array | str]


def concat(pieces: Pieces, rows: int) -> pa.Array:
    """Return the pieces concatenated to one text per row. Adjacent constants are joined first to save time."""
    merged: Pieces = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif not isinstance(piece, str) or piece:
            merged.append(piece)
    if len(merged) == 1 and not isinstance(merged[0], str):
        return merged[0]
    if all(isinstance(piece, str) for piece in merged):
        return pa.repeat(pa.scalar("".join(map(str, merged)), pa.string()), rows)
    return pc.binary_join_element_wise(*merged, "", memory_pool=_POOL)


def taken(pieces: Pieces, rows: pa.Array) -> Pieces:
    """Return the pieces of some rows."""
    return [piece if isinstance(piece, str) else piece.take(rows) for piece in pieces]


def grouped(texts: pa.Array, rows: pa.Array, count: int) -> pa.Array:
    """Return for each of `count` rows its texts as one; `rows` is the row of each text, ascending.

    Nothing is copied: the texts of a row are adjacent, so the result has the same bytes and fewer offsets.
    """
    if not len(texts):
        return pa.repeat(pa.scalar("", pa.string()), count)
    data, offsets = data_and_offsets(texts)
    counts = np.bincount(rows.to_numpy(), minlength=count)
    ends = offsets[np.concatenate([[0], np.cumsum(counts)])]
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), data)


def replaced(texts: pa.Array, bytes_table: np.ndarray, replace: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return the texts with `replace` applied to those that contain a byte marked in `bytes_table` (256 flags)."""
    data, offsets = data_and_offsets(texts)
    if data is None or offsets[0] == offsets[-1]:
        return texts
    text = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    # Most texts have no such byte, and the fastest check is to delete all others.
    if not text.tobytes().translate(None, np.flatnonzero(~bytes_table).astype(np.uint8).tobytes()):
        return texts
    places = np.flatnonzero(bytes_table.take(text))
    rows = np.unique(np.searchsorted(offsets, places + offsets[0], side="right") - 1)
    mask = np.zeros(len(texts), bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), replace(texts.take(pa.array(rows))))


def escaped(texts: pa.Array) -> pa.Array:
    """Return texts escaped for the quotes of JSON, N-Triples and Turtle, which have the same escapes."""
    return replaced(texts, _SPECIAL, _escape)


def json_lists(lists: pa.Array) -> pa.Array:
    """Return lists of strings as JSON."""
    values = concat(['"', escaped(lists.flatten()), '"'], len(lists.flatten()))
    return concat(["[", _listed(values, lists), "]"], len(lists))


def json_structures(lists: pa.Array) -> pa.Array:
    """Return lists of structures with strings and numbers as JSON."""
    items = lists.flatten()
    pieces: Pieces = []
    for number, field in enumerate(items.type):
        values = items.field(number)
        text = ['"', escaped(values), '"'] if field.type == pa.string() else [values.cast(pa.string())]
        pieces += [", " if number else "{", f'"{field.name}": ', *text]
    return concat(["[", _listed(concat([*pieces, "}"], len(items)), lists), "]"], len(lists))


def _listed(values: pa.Array, lists: pa.Array) -> pa.Array:
    """Return the consecutive values of each list, joined by commas."""
    ends = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy())]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), values), ", ")


def _escape(texts: pa.Array) -> pa.Array:
    for character, escape in _ESCAPES.items():
        texts = pc.replace_substring(texts, character, escape)
    return replaced_by(texts, _CONTROL, lambda match: f"\\u{ord(match[0]):04X}")


def replaced_by(texts: pa.Array, pattern: str, replace: Callable[[re.Match[str]], str]) -> pa.Array:
    """Return texts with every match of a pattern replaced; slow for texts that match, which are few."""
    matches = pc.match_substring_regex(texts, pattern)
    if not pc.any(matches).as_py():
        return texts
    changed = [re.sub(pattern, replace, text) for text in texts.filter(matches).to_pylist()]
    return pc.replace_with_mask(texts, matches, pa.array(changed, pa.string()))


def bytes_of(texts: pa.Array) -> memoryview:
    """Return the UTF-8 bytes of all texts as they are in memory."""
    data, offsets = data_and_offsets(texts)
    return memoryview(b"" if data is None else data)[offsets[0] : offsets[-1]]


def flags(marked: Callable[[int], bool]) -> np.ndarray:
    """Return a table of 256 flags, one per byte."""
    return np.array([marked(byte) for byte in range(256)])


def data_and_offsets(texts: pa.Array) -> tuple[pa.Buffer | None, np.ndarray]:
    """Return the bytes in memory, and the offsets where each text begins and the last one ends."""
    if not len(texts):
        return None, np.zeros(1, np.int32)
    _, offsets, data = texts.buffers()
    return data, np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
