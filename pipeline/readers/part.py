"""A part of a source file: the unit of parallel reading."""

from __future__ import annotations

from pathlib import Path

from schemas import Record
from schemas.text.clean import clean


class Part(Record, frozen=True):
    """A file, or a byte range of it that one worker reads.

    Attributes:
        path: the file.
        format: one of `FORMATS`.
        start: first byte of the range in the file as it lies on disk, or None for its beginning.
        end: one past the last byte, or None for the end of the file.
    """

    path: str
    format: str
    start: int | None = None
    end: int | None = None

    @property
    def source(self) -> str:
        """Name of the file without folders, so that results do not depend on where it lies."""
        return clean(Path(self.path).name)
