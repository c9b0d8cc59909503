"""Bytes of files, unpacked in bounded memory; damage is an event in the stream, not the end of it."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import zstandard

from pipeline.readers.streams.archives import ArchiveError, open_file

CHUNK = 1 << 18  # bytes, read and decompressed at a time

# A bzip2 stream starts on a byte boundary with its block size and the magic number of its first block.
BZ2_STREAM = re.compile(rb"BZh[1-9]1AY&SY")
_BZ2_MAGIC_LENGTH = 10
_MAGIC = {b"\x1f\x8b\x08": "gzip", b"\xfd7zXZ\x00": "xz", b"(\xb5/\xfd": "zstd"}
# A few bytes of zstd can stand for thousands of times as many.
_ZSTD_CHUNK = 1 << 12
_ZSTD_WINDOW = 1 << 31  # bytes; dumps are packed with --long=31


@dataclass(frozen=True)
class Damage:
    """The bytes at this point of the stream could not be decompressed; `message` says where and what to do."""

    message: str


class EndOfRange(NamedTuple):
    """The byte range ends here; what follows belongs to the next range but may be read to finish a record."""


Chunk = bytes | Damage | EndOfRange


def compression_of(path: Path) -> str:
    """Return `gzip`, `bzip2`, `xz`, `zstd` or `none`, by the first bytes of the file."""
    with open_file(path) as file:
        magic = file.read(_BZ2_MAGIC_LENGTH)
    for start, kind in _MAGIC.items():
        if magic.startswith(start):
            return kind
    # The magic number of a block, or that of the end of an empty stream.
    block = any(number.startswith(magic[4:]) for number in (b"1AY&SY", b"\x17rE8P\x90"))
    return "bzip2" if re.match(rb"BZh[1-9]", magic) and block else "none"


def chunks(path: Path, start: int | None = None, end: int | None = None) -> Iterator[Chunk]:
    """Yield the decompressed bytes of a file in pieces of at most `CHUNK`, from byte `start` of the file on.

    When the file's byte `end` is reached, one `EndOfRange` comes before the bytes behind it. A bzip2 range must
    start where a stream starts. After damage a bzip2 file goes on with its next stream; the other kinds end.

    Raises:
        OSError: the file cannot be opened.
    """
    try:
        kind = compression_of(path)
        with open_file(path) as file:
            if start:
                file.seek(start)
            if kind == "bzip2":
                yield from _bzip2(file, start or 0, end)
            elif kind == "none":
                yield from _plain(file, start or 0, end)
            else:
                yield from {"gzip": _gzip, "xz": _xz, "zstd": _zstd}[kind](file)
    except ArchiveError as error:
        yield Damage(str(error))


def head(path: Path, size: int) -> bytes:
    """Return the first `size` decompressed bytes, fewer if the file ends or breaks before."""
    data = b""
    for chunk in chunks(path):
        if not isinstance(chunk, bytes):
            break
        data += chunk
        if len(data) >= size:
            break
    return data[:size]


def bz2_streams(path: Path) -> list[int]:
    """Return the byte offsets at which the streams of a bzip2 file start."""
    starts: list[int] = []
    offset = 0
    tail = b""
    with path.open("rb") as file:
        while block := file.read(CHUNK * 16):
            data = tail + block
            starts.extend(offset - len(tail) + match.start() for match in BZ2_STREAM.finditer(data))
            offset += len(block)
            tail = data[-(_BZ2_MAGIC_LENGTH - 1) :]
    return starts


def _plain(file: IO[bytes], position: int, end: int | None) -> Iterator[Chunk]:
    while True:
        if end is not None and position >= end:
            yield EndOfRange()
            end = None
        block = file.read(CHUNK if end is None else min(CHUNK, end - position))
        if not block:
            return
        position += len(block)
        yield block


def _gzip(file: IO[bytes]) -> Iterator[Chunk]:
    """Yield all members of a gzip file one after the other."""
    position = 0
    member = zlib.decompressobj(wbits=31)
    while data := file.read(CHUNK):
        position += len(data)
        while data:
            if member.eof:
                data = data.lstrip(b"\0")  # padding between members
                if not data:
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(data, CHUNK)
            except zlib.error as error:
                yield Damage(f"gzip data is damaged before byte {position} ({error}): fetch the file again")
                return
            data = member.unused_data if member.eof else member.unconsumed_tail
            if piece:
                yield piece
    if not member.eof and (rest := member.flush()):  # what the limit of the last call held back
        yield rest
    if not member.eof:
        yield Damage(f"the gzip file ends in the middle of its data, at byte {position}: fetch the file again")


def _bzip2(file: IO[bytes], position: int, end: int | None) -> Iterator[Chunk]:
    """Yield all streams of a bzip2 file one after the other; `position` is that of the bytes in `data`."""
    data = b""
    while True:
        data = data or file.read(CHUNK)
        if not data:
            return
        if end is not None and position >= end:
            yield EndOfRange()
            end = None
        stream = bz2.BZ2Decompressor()
        started = position
        while not stream.eof:
            if stream.needs_input and not data:
                data = file.read(CHUNK)
                if not data:
                    yield Damage(f"the bzip2 file ends in the middle of its data, at byte {position}: fetch it again")
                    return
            try:
                piece = stream.decompress(data, CHUNK)
            except (OSError, ValueError) as error:
                yield Damage(f"bzip2 stream at byte {started} is damaged ({error}): fetch the file again")
                skipped = _next_stream(file, data, 1 if started == position else 0)
                if skipped is None:
                    return
                position, data = position + skipped[0], skipped[1]
                break
            position += len(data)
            data = b""
            if piece:
                yield piece
        else:
            data = stream.unused_data
            position -= len(data)


def _xz(file: IO[bytes]) -> Iterator[Chunk]:
    """Yield all streams of an xz file one after the other."""
    data, position = b"", 0
    while True:
        data = data.lstrip(b"\0")  # padding between streams
        if not data:
            data = file.read(CHUNK)
            position += len(data)
            if not data:
                return
            continue
        stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        while not stream.eof:
            if stream.needs_input and not data:
                data = file.read(CHUNK)
                position += len(data)
                if not data:
                    yield Damage(f"the xz file ends in the middle of its data, at byte {position}: fetch it again")
                    return
            try:
                piece = stream.decompress(data, CHUNK)
            except lzma.LZMAError as error:
                yield Damage(f"xz data is damaged before byte {position} ({error}): fetch the file again")
                return
            data = b""
            if piece:
                yield piece
        data = stream.unused_data


def _zstd(file: IO[bytes]) -> Iterator[Chunk]:
    """Yield all frames of a zstd file one after the other."""
    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = None
    position = 0
    while data := file.read(_ZSTD_CHUNK):
        position += len(data)
        while data:
            frame = frame or context.decompressobj()
            try:
                piece = frame.decompress(data)
            except zstandard.ZstdError as error:
                yield Damage(f"zstd data is damaged before byte {position} ({error}): fetch the file again")
                return
            data = frame.unused_data if frame.eof else b""
            for at in range(0, len(piece), CHUNK):
                yield piece[at : at + CHUNK]
            if frame.eof:
                frame = None
    if frame is not None:
        yield Damage(f"the zstd file ends in the middle of its data, at byte {position}: fetch it again")


def _next_stream(file: IO[bytes], data: bytes, skip: int) -> tuple[int, bytes] | None:
    """Return how many bytes lie before the next stream and the bytes from it on, or None at the end of the file."""
    passed = 0
    while True:
        match = BZ2_STREAM.search(data, skip)
        if match:
            return passed + match.start(), data[match.start() :]
        keep = max(len(data) - _BZ2_MAGIC_LENGTH + 1, skip)
        passed += keep
        data = data[keep:]
        skip = 0
        block = file.read(CHUNK)
        if not block:
            return None
        data += block
