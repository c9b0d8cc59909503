"""Files of documents that a program made: everything of a document is kept, and nothing is read out of its text.

The file begins with `MARK`; then comes each document as its length in four bytes, the lowest first, and MessagePack.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MALFORMED, MISPLACED, UNREADABLE, letter
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage, chunks
from schemas import Document, Intake, decode, encode, problems

MARK = b"factmill documents 1\n"
FILE_NAME = "documents.factmill"
_LENGTH = 4


class DocumentFile:
    """A file that is written document by document."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file = path.open("wb")
        self._file.write(MARK)

    def write(self, document: Document) -> None:
        """Add a document."""
        self._file.write(framed(document))
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def framed(document: Document) -> bytes:
    """Return the bytes of a document in such a file."""
    data = encode(document)
    return len(data).to_bytes(_LENGTH, "little") + data


def read_documents(part: Part) -> Iterator[Intake]:
    """Yield the documents of such a file; damage becomes a dead letter, and nothing after it can be found."""
    number = 0
    for item in _records(part):
        number += 1
        if isinstance(item, str):
            yield letter(part.source, f"document {number}", UNREADABLE, f"{item}: write the file again")
            return
        try:
            document = decode(item, Document)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            yield letter(part.source, f"document {number}", MALFORMED, f"{error}: write the file again")
            continue
        found = problems(document)
        if found:
            yield letter(part.source, f"document {number}", MISPLACED, "; ".join(found[:3]), document.id or None)
            continue
        yield document


def _records(part: Part) -> Iterator[bytes | str]:
    """Yield the bytes of each document, or at the end a text that says what is wrong with the file."""
    data = bytearray()
    marked = False
    for chunk in chunks(Path(part.path)):
        if isinstance(chunk, Damage):
            yield chunk.message
            return
        if not isinstance(chunk, bytes):
            continue
        data += chunk
        if not marked and len(data) >= len(MARK):
            if not data.startswith(MARK):
                break
            marked = True
            del data[: len(MARK)]
        while marked and len(data) >= _LENGTH:
            end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
            if len(data) < end:
                break
            yield bytes(data[_LENGTH:end])
            del data[:end]
    if not marked:
        yield "this is no file of documents"
    elif data:
        yield "the file is cut short"


FORMAT = Format("documents", read_documents, lambda head: head.data.startswith(MARK), public_ids=True)
