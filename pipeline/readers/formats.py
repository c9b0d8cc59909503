"""The formats that can be read: how each is recognised, split into parts and read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.readers.compression import Chunk, chunks, head
from pipeline.readers.docred import read_docred
from pipeline.readers.gda import read_gda
from pipeline.readers.part import Part
from pipeline.readers.pubtator import read_pubtator
from schemas import Intake

_HEAD = 1 << 16  # bytes looked at to recognise a format
_READERS: dict[str, Callable[[Iterator[Chunk], str], Iterator[Intake]]] = {
    "pubtator": read_pubtator,
    "docred": read_docred,
    "gda": read_gda,
}
FORMATS: tuple[str, ...] = tuple(_READERS)


class UnknownFormat(ValueError):
    """The content of a file fits no format; the message names the file, what was found and the remedy."""


def sniff(path: Path) -> str:
    """Return the format of a file by its content; its name does not matter.

    Raises:
        UnknownFormat: the content fits no format.
        OSError: the file cannot be read.
    """
    text = head(path, _HEAD).decode("utf-8-sig", "replace").lstrip()
    if text.startswith(("[", "{")) and re.search(r'"(sents|vertexSet)"\s*:', text):
        return "docred"
    if re.match(r"[^|\t\n]+\|[ta]\|", text):
        return "pubtator"
    if re.match(r"\d+\t[^\t\n]+\t\d+:\w+:\d+\t", text):
        return "gda"
    raise UnknownFormat(f"{path}: cannot tell the format of {text[:40]!r}: name one of {', '.join(FORMATS)}")


def split(path: Path, format: str | None = None) -> list[Part]:
    """Return the parts of a file that can be read in parallel."""
    return [Part(str(path), format or sniff(path))]


def read(part: Part) -> Iterator[Intake]:
    """Yield every record of a part as a document, dead letter, skip, removal or redirect; never raise for content."""
    yield from _READERS[part.format](chunks(Path(part.path), part.start, part.end), part.source)


def read_path(path: Path, format: str | None = None) -> Iterator[Intake]:
    """Yield the records of all parts of a file in order."""
    for part in split(path, format):
        yield from read(part)
