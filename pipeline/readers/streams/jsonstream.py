"""JSON values one after the other, from a list or a sequence of values of any size, in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.readers.streams.compression import Chunk, Damage

LIMIT = 1 << 26  # characters of one value

_GAP = re.compile(r"[ \t\r\n,\[\]]*")


class Value(NamedTuple):
    """A JSON value and its number, counted from 1."""

    value: Any
    number: int


def values(stream: Iterator[Chunk]) -> Iterator[Value | Damage]:
    """Yield the values of a JSON list, or of JSON values written one after the other.

    A value that cannot be read ends the reading with one `Damage` that names it: where it ends is not known.
    """
    text = codecs.getincrementaldecoder("utf-8-sig")("replace")
    reader = _Reader()
    for chunk in stream:
        if isinstance(chunk, Damage):
            yield chunk
            return
        if isinstance(chunk, bytes):
            yield from reader.read(text.decode(chunk))
        if reader.done:
            return
    yield from reader.read(text.decode(b"", final=True), final=True)


class _Reader:
    """Reads values from a growing buffer."""

    def __init__(self) -> None:
        self.done = False
        self._decode = json.JSONDecoder().raw_decode
        self._buffer = ""
        self._wanted = 1  # characters without which another try is pointless: doubling keeps the work linear
        self._number = 0
        self._depth = 0  # brackets open around the values

    def read(self, text: str, final: bool = False) -> Iterator[Value | Damage]:
        """Yield the values that are complete; with `final` nothing more will come."""
        self._buffer += text
        at = 0
        while True:
            gap = _GAP.match(self._buffer, at)
            if gap and gap.end() > at:
                self._depth += gap[0].count("[") - gap[0].count("]")
                at = gap.end()
            left = len(self._buffer) - at
            if left == 0 or (left < self._wanted and not final):
                break
            try:
                value, at = self._decode(self._buffer, at)
            except (ValueError, RecursionError) as error:
                if final or left > LIMIT or not isinstance(error, json.JSONDecodeError):
                    yield self._broken(error, at)
                    return
                self._wanted = 2 * left
                break
            self._number += 1
            self._wanted = 1
            yield Value(value, self._number)
        self._buffer = self._buffer[at:]
        if final and self._depth > 0:
            yield Damage(f"the file ends behind value {self._number} without the closing bracket: fetch it again")

    def _broken(self, error: ValueError | RecursionError, at: int) -> Damage:
        self.done = True
        place = f"character {error.pos - at}: {error.msg}" if isinstance(error, json.JSONDecodeError) else str(error)
        return Damage(f"value {self._number + 1}, {place}; the rest of the file is unread: mend the file there")
