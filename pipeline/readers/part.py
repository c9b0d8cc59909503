"""A part of a source file: the unit of parallel reading."""

from __future__ import annotations

from pathlib import Path

from schemas import Record
from schemas.text.clean import clean


class Part(Record, frozen=True):
    """A file, or a byte range of it that one worker reads.

    Attributes:
        path: the file; a member of an archive is a file below it, as in `corpus.zip/first.xml`.
        format: name of a registered format.
        start: first byte of the range in the file as it lies on disk, or None for its beginning.
        end: one past the last byte, or None for the end of the file.
        name: name of the source where it is not that of the file, as for a member of an archive.
        columns: (role, field) pairs: which fields of records are `id`, `title` and `text`.
        id_prefix: put in front of the ids of documents, unless the ids of the format are public.
    """

    path: str
    format: str
    start: int | None = None
    end: int | None = None
    name: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    id_prefix: str = ""

    @property
    def source(self) -> str:
        """Name of the file without folders, so that results do not depend on where it lies."""
        return clean(self.name or Path(self.path).name)
