"""JSON values one after the other, from a list or a sequence of values of any size, in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.readers.compression import Chunk, Damage

LIMIT = 1 << 26  # characters of one value

_GAP = re.compile(r"[\s,\[\]]*")


class Value(NamedTuple):
    """A JSON value and its number, counted from 1."""

    value: Any
    number: int


def values(stream: Iterator[Chunk]) -> Iterator[Value | Damage]:
    """Yield the values of a JSON list, or of JSON values written one after the other.

    A value that cannot be read ends the reading with one `Damage` that names it: where it ends is not known.
    """
    decode = json.JSONDecoder().raw_decode
    text = codecs.getincrementaldecoder("utf-8-sig")("replace")
    buffer = ""
    number = 0
    wanted = 1  # characters without which another try is pointless: doubling keeps the total work linear
    for chunk in stream:
        if isinstance(chunk, Damage):
            yield chunk
            return
        if not isinstance(chunk, bytes):
            continue
        buffer += text.decode(chunk)
        at = 0
        while True:
            gap = _GAP.match(buffer, at)
            at = gap.end() if gap else at
            if len(buffer) - at < wanted:
                break
            try:
                value, end = decode(buffer, at)
            except json.JSONDecodeError as error:
                if len(buffer) - at > LIMIT:
                    yield _broken(number + 1, error, at)
                    return
                wanted = 2 * (len(buffer) - at)
                break
            except RecursionError:
                yield Damage(f"value {number + 1} is nested too deeply: is this the right format?")
                return
            number += 1
            at, wanted = end, 1
            yield Value(value, number)
        buffer = buffer[at:]
    yield from _rest(buffer + text.decode(b"", final=True), number)


def _rest(buffer: str, number: int) -> Iterator[Value | Damage]:
    """Yield what the last chunk left undecided."""
    at = 0
    while True:
        gap = _GAP.match(buffer, at)
        at = gap.end() if gap else at
        if at == len(buffer):
            return
        try:
            value, end = json.JSONDecoder().raw_decode(buffer, at)
        except json.JSONDecodeError as error:
            yield _broken(number + 1, error, at)
            return
        except RecursionError:
            yield Damage(f"value {number + 1} is nested too deeply: is this the right format?")
            return
        number += 1
        yield Value(value, number)
        at = end


def _broken(number: int, error: json.JSONDecodeError, at: int) -> Damage:
    where = f"value {number}, character {error.pos - at}"
    return Damage(f"{where}: {error.msg}; the rest of the file is unread: mend the file there")
