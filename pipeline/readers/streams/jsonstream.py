"""JSON values one after the other, from a list or a sequence of values of any size, in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.readers.streams.compression import Chunk, Damage

LIMIT = 1 << 26  # characters of one value

_LONGEST_TOKEN = 32  # characters before the end of what is there yet within which a value may be merely cut off
_FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.)*")\s*:')
_GAP = re.compile(r"[ \t\r\n,\[\]]*")


class Value(NamedTuple):
    """A JSON value and its number, counted from 1."""

    value: Any
    number: int


def values(stream: Iterator[Chunk]) -> Iterator[Value | Damage]:
    """Yield the values of a JSON list, or of JSON values written one after the other.

    A value that cannot be read is a `Damage`. Where it ends is not known, so reading goes on with the next object that
    begins with the same key; objects inside others begin with another one.
    """
    text = codecs.getincrementaldecoder("utf-8-sig")("replace")
    reader = _Reader()
    for chunk in stream:
        if isinstance(chunk, Damage):
            yield chunk
            return
        if isinstance(chunk, bytes):
            yield from reader.read(text.decode(chunk))
    yield from reader.read(text.decode(b"", final=True), final=True)


class _Reader:
    """Reads values from a growing buffer."""

    def __init__(self) -> None:
        self._decode = json.JSONDecoder().raw_decode
        self._buffer = ""
        self._wanted = 1  # characters without which another try is pointless: doubling keeps the work linear
        self._number = 0
        self._depth = 0  # brackets open around the values
        self._next: re.Pattern[str] | None = None  # how the value after a broken one begins; None: nothing is broken
        self._key = ""  # first key of the objects

    def read(self, text: str, final: bool = False) -> Iterator[Value | Damage]:
        """Yield the values that are complete; with `final` nothing more will come."""
        self._buffer += text
        at = 0
        while True:
            if self._next is not None:
                found = self._next.search(self._buffer, at)
                if found is None:
                    at = max(at, len(self._buffer) - 8 * _LONGEST_TOKEN)
                    break
                at, self._next = found.start(), None
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
                if not final and left <= LIMIT and self._may_go_on(error):
                    self._wanted = 2 * left
                    break
                yield self._broken(error, at)
                at += 1
                continue
            if self._number == 0 and isinstance(value, dict) and value:
                self._key = json.dumps(next(iter(value)), ensure_ascii=False)
            self._number += 1
            self._wanted = 1
            yield Value(value, self._number)
        self._buffer = self._buffer[at:]
        if final and self._depth > 0 and self._next is None:
            yield Damage(f"the file ends behind value {self._number} without the closing bracket: fetch it again")

    def _may_go_on(self, error: ValueError | RecursionError) -> bool:
        """Tell whether a value may be sound, with its end still to come."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._buffer) - _LONGEST_TOKEN

    def _broken(self, error: ValueError | RecursionError, at: int) -> Damage:
        match = _FIRST_KEY.match(self._buffer, at)
        key = self._key or (match[1] if match else "")
        self._next = re.compile(r"\{\s*" + re.escape(key) + r"\s*:" if key else r"(?!)")
        self._number += 1
        self._wanted = 1
        place = f"character {error.pos - at}: {error.msg}" if isinstance(error, json.JSONDecodeError) else str(error)
        return Damage(f"value {self._number}, {place}: mend the file there; what follows up to the next record is lost")
