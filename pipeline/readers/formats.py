"""The formats that can be read: how each is recognised, split into parts and read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.readers import mediawiki, pubmed
from pipeline.readers.docred import read_docred
from pipeline.readers.gda import read_gda
from pipeline.readers.mediawiki import read_mediawiki
from pipeline.readers.part import Part
from pipeline.readers.plaintext import read_text
from pipeline.readers.pubmed import read_pubmed
from pipeline.readers.pubtator.reader import read_pubtator
from pipeline.readers.reader_errors import WrongRecord
from pipeline.readers.records.json_records import read_jsonl, read_parquet
from pipeline.readers.streams.compression import bz2_streams, compression_of, head
from pipeline.readers.streams.xmlrecords import HEAD, parse_prolog
from schemas import Document, Intake, Skipped

_READERS: dict[str, Callable[[Part], Iterator[Intake]]] = {
    "mediawiki": read_mediawiki,
    "pubmed": read_pubmed,
    "pubtator": read_pubtator,
    "docred": read_docred,
    "gda": read_gda,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "text": read_text,
}
FORMATS: tuple[str, ...] = tuple(_READERS)

# Formats whose records can be found from any point of the file, and bytes on disk of a part.
_SPLITTABLE = {"mediawiki", "pubmed", "jsonl"}
_PART_BYTES = {"none": 32 << 20, "bzip2": 4 << 20}


class UnknownFormat(ValueError):
    """The content of a file fits no format; the message names the file, what was found and the remedy."""


def sniff(path: Path) -> str:
    """Return the format of a file by its content; its name does not matter.

    Raises:
        UnknownFormat: the content fits no format.
        OSError: the file cannot be read.
    """
    data = head(path, HEAD)
    if data.startswith(b"PAR1"):
        return "parquet"
    try:
        prolog = parse_prolog(data, (*mediawiki.ROOTS, *pubmed.ROOTS))
    except WrongRecord as error:
        raise UnknownFormat(f"{path}: {error}") from None
    text = prolog.text.lstrip("\ufeff \t\r\n")
    if text.startswith("<") and prolog.root:
        return "mediawiki" if prolog.root in mediawiki.ROOTS else "pubmed"
    if text.startswith(("[", "{")) and re.search(r'"(?:sents|vertexSet)"\s*:', text):
        return "docred"
    if text.startswith("{"):
        return "jsonl"
    if re.match(r"[^|\t\n]+\|[ta]\|", text):
        return "pubtator"
    if re.match(r"\d+\t[^\t\n]+\t\d+:\w+:\d+\t", text):
        return "gda"
    if text.startswith(("<?xml", "<!DOCTYPE", "[")) or "\0" in text:
        raise UnknownFormat(f"{path}: cannot tell the format of {text[:40]!r}: name one of {', '.join(FORMATS)}")
    return "text"


def split(path: Path, format: str | None = None) -> list[Part]:
    """Return the parts of a file that can be read in parallel; together they hold every record once.

    Multistream bzip2 is split where streams start, uncompressed XML and JSON Lines anywhere.

    Raises:
        UnknownFormat: `format` is none of `FORMATS`, or is not given and the content fits no format.
        OSError: the file cannot be read.
    """
    if format is not None and format not in _READERS:
        raise UnknownFormat(f"there is no format {format!r}: use one of {', '.join(FORMATS)}")
    format = format or sniff(path)
    cuts: list[int] = []
    compression = compression_of(path)
    # In UTF-16 a record cannot be looked for from any byte on.
    if format in _SPLITTABLE and compression in _PART_BYTES and b"\0" not in head(path, HEAD):
        size = _PART_BYTES[compression]
        possible = bz2_streams(path) if compression == "bzip2" else range(0, path.stat().st_size, size)
        for offset in possible:
            if offset >= (cuts[-1] if cuts else 0) + size:
                cuts.append(offset)
    starts: list[int | None] = [None, *cuts]
    ends: list[int | None] = [*cuts, None]
    return [Part(str(path), format, start, end) for start, end in zip(starts, ends, strict=True)]


def read(part: Part) -> Iterator[Intake]:
    """Yield every record of a part as a document, dead letter, skip, removal or redirect; bad content never raises.

    Raises:
        OSError: the file cannot be opened.
    """
    for item in _READERS[part.format](part):
        without_text = isinstance(item, Document) and not item.tokens
        yield Skipped(item.source, "empty text") if without_text else item


def read_path(path: Path, format: str | None = None) -> Iterator[Intake]:
    """Yield the records of all parts of a file in order; see `split` for what it raises."""
    for part in split(path, format):
        yield from read(part)
