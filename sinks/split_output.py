"""Streams a long text into one file or several, with optional compression."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from sinks.tables.arrow_text import bytes_of

COMPRESSIONS = {"gzip": ".gz", "zstd": ".zst"}


class SplitOutput:
    """Writes texts to one file, or to consecutive files of a folder with about as many rows each.

    Every file is complete: it begins with the header and ends with the footer.

    Args:
        draft: the file, or the folder, which is created.
        name: name of the files in the folder: `graph.nq` gives `graph-00000-of-00004.nq`.
        count: number of files; None: one file, and no folder.
        rows: the total number of rows.
        compression: `gzip`, `zstd` or None.
        header, footer: of every file.
        separator: the beginning of every text except the first of a file.
    """

    def __init__(
        self,
        draft: Path,
        name: str,
        count: int | None = None,
        rows: int = 0,
        compression: str | None = None,
        header: str = "",
        footer: str = "",
        separator: str = "",
    ) -> None:
        self._paths = [draft]
        if count is not None:
            draft.mkdir()
            stem, dot, suffix = name.partition(".")
            self._paths = [draft / f"{stem}-{number:05}-of-{count:05}{dot}{suffix}" for number in range(count)]
        self._ends = [rows * (number + 1) // len(self._paths) for number in range(len(self._paths))]
        self._compression = compression
        self._header, self._footer, self._separator = header.encode(), footer.encode(), separator.encode()
        self._opened = 0
        self._rows = 0
        self._fresh = True
        self._file: Any = None

    def write(self, texts: pa.Array) -> None:
        """Write one text per row."""
        start = 0
        while start < len(texts):
            if self._rows >= self._ends[self._opened - 1] and self._opened < len(self._paths):
                self._next()
                continue
            last = self._opened == len(self._paths)
            stop = len(texts) if last else min(len(texts), start + self._ends[self._opened - 1] - self._rows)
            data = bytes_of(texts.slice(start, stop - start))
            if len(data):
                self._file.write(data[len(self._separator) :] if self._fresh else data)
                self._fresh = False
            self._rows += stop - start
            start = stop

    def interrupt(self, text: str) -> None:
        """Write a text that is no row; the next row is written without its separator."""
        self._file.write(text.encode())
        self._fresh = True

    def __enter__(self) -> Self:
        self._next()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; after a success every remaining part is written too."""
        while kind is None and self._opened < len(self._paths):
            self._next()
        self._close(whole=kind is None)

    def _next(self) -> None:
        self._close(whole=True)
        path = self._paths[self._opened]
        self._file = pa.CompressedOutputStream(str(path), self._compression) if self._compression else path.open("wb")
        self._file.write(self._header)
        self._opened += 1
        self._fresh = True

    def _close(self, whole: bool) -> None:
        if self._file is None:
            return
        try:
            if whole:
                self._file.write(self._footer)
        finally:
            self._file.close()
            self._file = None
