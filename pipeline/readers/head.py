"""The beginning of a file, by which its format is recognised."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pipeline.readers.streams.compression import head

SIZE = 1 << 16  # bytes
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PACKED = {".gz", ".bz2", ".xz", ".zst"}
_PROLOG = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^<>\[]|\[.*?\])*>)*", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[^\W\d][\w.-]{0,40}:)?([^\W\d][\w.-]{0,80})(?=[\s/>])")


@dataclass(frozen=True)
class Head:
    """The beginning of a file.

    Attributes:
        name: name of the file without folders and without the ending of a compression, as in `notes.txt`.
        data: its first bytes, unpacked; 65,536 at most.
    """

    name: str
    data: bytes

    @classmethod
    def of(cls, path: Path) -> Head:
        """Read the beginning of a file.

        Raises:
            OSError: it cannot be read.
        """
        name = PurePosixPath(path.name)
        return cls(name.stem if name.suffix.lower() in _PACKED else name.name, head(path, SIZE))

    @property
    def suffix(self) -> str:
        """Ending of the name in lower case, with its dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def complete(self) -> bool:
        """Whether this is the whole file."""
        return len(self.data) < SIZE

    @cached_property
    def text(self) -> str:
        """The bytes as text, without a byte order mark and white space at the beginning."""
        for mark, encoding in _MARKS:
            if self.data.startswith(mark):
                return self.data[len(mark) :].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        return self.data.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")

    @cached_property
    def root(self) -> str:
        """Local name of the first XML element, empty where the text does not begin with markup."""
        if not self.text.startswith("<"):
            return ""
        prolog = _PROLOG.match(self.text)
        match = _ROOT.match(self.text, prolog.end() if prolog else 0)
        return match[1] if match else ""

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are complete and not blank."""
        lines = self.text.splitlines()
        return [line for line in (lines if self.complete else lines[:-1]) if line.strip()]
