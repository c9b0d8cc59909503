"""Bytes of files as UTF-8: UTF-16 and UTF-32 by their mark, other encodings of plain text by what they give."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from pipeline.readers.streams.compression import Chunk, chunks

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_SAMPLE = 1 << 14  # bytes by which an encoding is chosen
_LOOKED_AT = 1000  # bytes above 127
_ENOUGH = 20  # bytes above 127 that tell one encoding from another
_LEAST_PLAUSIBLE = 0.8
_WESTERN = "cp1252"
# What a text in one byte a letter has between or behind letters; other bytes above 127 speak against it.
_PLAUSIBLE = re.compile(r"(?<=[^\W\d_])[^\W\d_]|[^\W\d_](?=[^\W\d_])|[‘’“”«»‚„–—…§°€。、，「」]|\xa0")


class Decoded(NamedTuple):
    """A text, the encoding that its bytes are in, and how many bytes do not belong to it."""

    text: str
    encoding: str
    undecodable: int


def utf8_chunks(path: Path, start: int | None = None, end: int | None = None) -> Iterator[Chunk]:
    """Yield the unpacked bytes of a file as `chunks` does, those of UTF-16 and UTF-32 files with a mark as UTF-8."""
    decoder: codecs.IncrementalDecoder | None = None
    first = not start
    for chunk in chunks(path, start, end):
        if not isinstance(chunk, bytes):
            yield chunk
            continue
        if first:
            encoding = next((name for mark, name in _WIDE if chunk.startswith(mark)), None)
            decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
            first = False
        yield decoder.decode(chunk).encode("utf-8", "replace") if decoder else chunk


def decode(data: bytes) -> Decoded:
    """Return the text of bytes in an encoding that is not known.

    A byte order mark decides, then UTF-8. Bytes that are mostly UTF-8 are damaged UTF-8, whose other bytes become
    U+FFFD and are counted. The rest is in an encoding of one byte a letter.
    """
    for mark, name in (*_WIDE, (codecs.BOM_UTF8, "utf-8-sig")):
        if data.startswith(mark):
            return _counted(data, name)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", 0)
    except UnicodeDecodeError:
        pass
    damaged = _counted(data, "utf-8")
    if len(_MULTIBYTE.findall(data)) >= damaged.undecodable:
        return damaged
    encoding = _guess(data)
    return _counted(data, encoding) if encoding else damaged


def _counted(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    return Decoded(text, encoding.removesuffix("-sig"), text.count("\ufffd"))


def _guess(data: bytes) -> str | None:
    """Return the encoding in which the bytes above 127 are letters of words, or None."""
    places = [match.start() for match in re.finditer(rb"[\x80-\xff]", data)][:_LOOKED_AT]
    # What is far from such bytes says nothing.
    sample = data[max(0, places[0] - 16) : places[-1] + 16][:_SAMPLE]
    # Few such bytes fit many encodings, of which that of Western Europe is the most common by far.
    best = from_bytes(sample).best() if len(places) >= _ENOUGH else None
    for encoding in (best.encoding, _WESTERN) if best else (_WESTERN,) if len(places) < _ENOUGH else ():
        text = sample.decode(encoding, "replace")
        high = sum(character > "\x7f" for character in text)
        if sum(match[0] > "\x7f" for match in _PLAUSIBLE.finditer(text)) >= _LEAST_PLAUSIBLE * high:
            return encoding
    return None
