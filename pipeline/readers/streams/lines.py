"""Lines of a byte stream, each with its place, for the formats that hold one record or field a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.readers.streams.compression import Chunk, Damage, EndOfRange

LIMIT = 1 << 26  # bytes; a longer line is cut off there and reported


class Line(NamedTuple):
    """A line without its line break; `offset` counts decompressed bytes and `number` lines from where reading began."""

    data: bytes
    offset: int
    number: int


def lines(stream: Iterator[Chunk], skip_first: bool = False) -> Iterator[Line | Damage]:
    """Yield the lines that start before the end of the range; an `EndOfRange` does not cut a line.

    Args:
        stream: chunks of the file.
        skip_first: whether reading began inside the file, where the first line belongs to the range before.
    """
    parts: list[bytes] = []
    size = offset = number = 0
    last = False  # whether the line being collected is the last of the range
    skip = skip_first
    for chunk in stream:
        if isinstance(chunk, EndOfRange):
            # A range owns the lines that start in it. One that starts exactly at its end is read here as well,
            # for the next range cannot know that its first byte starts a line.
            last = True
            continue
        if isinstance(chunk, Damage):
            # The bytes before the break and those after it are halves of different lines.
            parts, size = [], 0
            yield chunk
            skip = True
            continue
        at = 0
        while (cut := chunk.find(b"\n", at)) != -1:
            parts.append(chunk[at:cut])
            number += 1
            size += cut + 1 - at
            if not skip:
                yield from _line(parts, offset, number)
            offset += size
            parts, size, skip = [], 0, False
            at = cut + 1
            if last:
                return
        if size <= LIMIT:
            parts.append(chunk[at:])
        size += len(chunk) - at
    if parts and not skip and any(parts):
        yield from _line(parts, offset, number + 1)


def _line(parts: list[bytes], offset: int, number: int) -> Iterator[Line | Damage]:
    data = b"".join(parts)
    if len(data) > LIMIT:
        yield Damage(f"line {number} at byte {offset} is longer than {LIMIT} bytes: split it into several records")
    else:
        yield Line(data.removesuffix(b"\r"), offset, number)
