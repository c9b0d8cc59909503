"""Files that hold one document each, read whole."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import TOO_LONG, UNREADABLE, letter
from pipeline.readers.streams.compression import Damage, chunks
from schemas import DeadLetter


def read_whole(part: Part, limit: int, too_long: str) -> Generator[DeadLetter, None, bytes | None]:
    """Return the bytes of a file, of a damaged one those before the damage, after a dead letter for it.

    Args:
        part: the file.
        limit: bytes that it may have; of a larger one the result is None, after a dead letter.
        too_long: what that dead letter says.
    """
    data = bytearray()
    for chunk in chunks(Path(part.path)):
        if isinstance(chunk, Damage):
            yield letter(part.source, f"byte {len(data)}", UNREADABLE, chunk.message)
            break
        if isinstance(chunk, bytes):
            data += chunk
        if len(data) > limit:
            yield letter(part.source, "file", TOO_LONG, too_long)
            return None
    return bytes(data)
