"""Files to parts and parts to records, by the format that is asked for or that the content shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from pipeline.readers import docred, gda, mediawiki, plaintext, pubmed, webpage
from pipeline.readers import wikiextractor as wikiextractor_output
from pipeline.readers.head import Head
from pipeline.readers.language import canonical, detect
from pipeline.readers.other_files import Other, other_file, unrecognised_file
from pipeline.readers.part import Part
from pipeline.readers.pubtator import reader as pubtator
from pipeline.readers.reader_errors import TOO_LONG, WrongRecord, letter
from pipeline.readers.records import delimited, document_file, json_records, parquet_rows
from pipeline.readers.registry import Format, register, registered
from pipeline.readers.streams.archives import ArchiveError, archive_kind, members, named_members
from pipeline.readers.streams.compression import bz2_streams, compression_of
from schemas import DeadLetter, Document, Intake, Skipped
from schemas.text.clean import clean

# The built-in formats in the order in which they are asked whether they recognise a file.
_BUILT_IN = (
    mediawiki.FORMAT,
    pubmed.FORMAT,
    wikiextractor_output.FORMAT,
    docred.FORMAT,
    json_records.JSON,
    json_records.JSONL,
    pubtator.FORMAT,
    gda.FORMAT,
    webpage.FORMAT,
)
# A binary format, asked before what is binary is left out.
_BINARY = (parquet_rows.FORMAT,)
# These recognise so much that they come last, after everything that is no source.
_LAST = (delimited.FORMAT, plaintext.FORMAT)
# In files of documents a program hands its own documents to a build; nobody names that format.
for _format in (*_BUILT_IN, *_BINARY, *_LAST, document_file.FORMAT):
    register(_format)
FORMATS: tuple[str, ...] = tuple(format.name for format in (*_BUILT_IN, *_BINARY, *_LAST))

# Bytes on disk of a part of a file whose records can be found from any byte on.
_PART_BYTES = {"none": 32 << 20, "bzip2": 4 << 20}
_LEAST_PART = 1 << 12  # bytes, so that the end of the root element is never cut
# Characters of a document. The longest page of a wiki has two million; one of this length takes an hour to extract.
LONGEST_TEXT = 1 << 22
ID_PREFIXES = ("file", "folder")


class UnknownFormat(ValueError):
    """The content of a file fits no format; the message names the file, what was found and the remedy.

    `reason` is a phrase to count by.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def sniff(path: Path) -> str:
    """Return the name of the format that a file has by its content; its name decides only whether it is plain text.

    Raises:
        UnknownFormat: the content fits no format.
        OSError: the file cannot be read.
    """
    head = Head.of(path)
    known = registered()
    try:
        added = [format for format in reversed(known.values()) if format.name not in FORMATS]
        for format in (*added, *_BINARY):
            if format.recognise(head):
                return format.name
        if other := other_file(head):
            raise _unknown(path, other)
        for format in _BUILT_IN:
            if format.recognise(head):
                return format.name
    except WrongRecord as error:
        raise UnknownFormat(f"{path}: {error}", error.reason) from None
    if other := unrecognised_file(head):
        raise _unknown(path, other)
    for format in _LAST:
        if format.recognise(head):
            return format.name
    beginning = f"{head.text[:40]!r}"
    raise UnknownFormat(
        f"{path}: cannot tell the format of {beginning}: name one of {', '.join(known)}", "looks like no format"
    )


def _unknown(path: Path, other: Other) -> UnknownFormat:
    message = f"{path}: looks like {other.looks_like}, which is not read: {other.remedy}"
    if other.is_text:
        message += "; --format text takes it for an article"
    return UnknownFormat(message, f"looks like {other.looks_like}")


def split(
    path: Path, format: str | None = None, columns: Mapping[str, str] | None = None, id_prefix: str | None = None
) -> list[Part | DeadLetter]:
    """Return the parts of a file that can be read in parallel; together they hold every record once.

    Multistream bzip2 is split where streams start, uncompressed XML and JSON Lines anywhere, a zip or 7z archive into
    its members. A file of no format is one dead letter.

    Args:
        path: the file.
        format: name of a format; None finds it in the content.
        columns: fields of records by role: `id`, `title` and `text`, or another name for metadata.
        id_prefix: what is put before the ids of documents, unless they are public as those of PubMed: the name of
            the `file`, or of the `folder` and the file.

    Raises:
        UnknownFormat: `format` is none that is registered.
        ValueError: `id_prefix` is none of `ID_PREFIXES`.
        OSError: the file cannot be read.
    """
    if format is not None and format not in registered():
        raise UnknownFormat(f"there is no format {format!r}: use one of {', '.join(registered())}", "no such format")
    if id_prefix not in (None, *ID_PREFIXES):
        raise ValueError(f"there is no id prefix {id_prefix!r}: use one of {', '.join(ID_PREFIXES)}")
    folder = f"{path.resolve().parent.name}/" if id_prefix == "folder" else ""
    pairs = tuple(sorted((columns or {}).items()))

    def part(file: str, name: str) -> Part:
        prefix = clean(f"{folder}{name or path.name}:") if id_prefix else ""
        return Part(file, format or "", name=name, columns=pairs, id_prefix=prefix)

    if archive_kind(path) is None:
        return _split_file(part(str(path), ""))
    if not members(path):
        other = Other("an Office document, an e-book or an empty archive", "convert it to text or HTML first", False)
        return [_letter(path.name, _unknown(path, other), str(path))]
    found: list[Part | DeadLetter] = []
    for member, name in named_members(path):
        try:
            found += _split_file(part(member, name))
        except OSError as error:
            found.append(letter(clean(name), "file", "file cannot be read", str(error).replace(member, name)))
    return found


def _letter(source: str, error: UnknownFormat, path: str) -> DeadLetter:
    return DeadLetter(source, source, "read", error.reason, str(error).replace(path, source))


def _split_file(part: Part) -> list[Part | DeadLetter]:
    path = Path(part.path)
    try:
        format = registered()[part.format or sniff(path)]
    except UnknownFormat as error:
        return [_letter(part.source, error, part.path)]
    part = msgspec.structs.replace(part, format=format.name)
    compression = compression_of(path)
    # In UTF-16 a record cannot be looked for from any byte on, nor in an archive.
    if not format.splittable or compression not in _PART_BYTES or part.name or b"\0" in Head.of(path).data:
        return [part]
    cuts: list[int] = []
    size = _PART_BYTES[compression]
    possible = bz2_streams(path) if compression == "bzip2" else range(0, path.stat().st_size - _LEAST_PART, size)
    for offset in possible:
        if offset >= (cuts[-1] if cuts else 0) + size:
            cuts.append(offset)
    starts: list[int | None] = [None, *cuts]
    ends: list[int | None] = [*cuts, None]
    return [msgspec.structs.replace(part, start=start, end=end) for start, end in zip(starts, ends, strict=True)]


def read(part: Part | DeadLetter) -> Iterator[Intake]:
    """Yield every record of a part as a document, dead letter, skip, removal or redirect; bad content never raises.

    A dead letter of `split` stays one.

    Raises:
        OSError: the file cannot be opened.
    """
    if isinstance(part, DeadLetter):
        yield part
        return
    format = registered()[part.format]
    prefix = "" if format.public_ids else part.id_prefix
    for item in format.read(part):
        yield _checked(item, prefix) if isinstance(item, Document) or prefix else item


def _checked(item: Intake, prefix: str) -> Intake:
    if isinstance(item, DeadLetter):
        # What has no id is named after its place in the source.
        named = not item.document_id.startswith(item.source)
        return msgspec.structs.replace(item, document_id=prefix + item.document_id) if named else item
    if not isinstance(item, Document):
        return item
    if not item.tokens:
        return Skipped(item.source, "empty text")
    item = _with_language(item)
    if len(item.text) > LONGEST_TEXT:
        detail = f"the text has {len(item.text)} characters, more than {LONGEST_TEXT}: split it into several documents"
        return letter(item.source, "document", TOO_LONG, detail, prefix + item.id)
    return msgspec.structs.replace(item, id=prefix + item.id) if prefix else item


def _with_language(document: Document) -> Document:
    """Return the document with the code of its language in its metadata, if the source or the text tells it."""
    given = next((value for key, value in document.metadata if key == "language"), "")
    language = canonical(given) or detect(document.text)
    if language == given:
        return document
    others = (pair for pair in document.metadata if pair[0] != "language")
    metadata = sorted((*others, ("language", language))) if language else sorted(others)
    return msgspec.structs.replace(document, metadata=tuple(metadata))


def read_path(
    path: Path, format: str | None = None, columns: Mapping[str, str] | None = None, id_prefix: str | None = None
) -> Iterator[Intake]:
    """Yield the records of all parts of a file in order; see `split` for the arguments and what it raises.

    A damaged archive is one dead letter.
    """
    try:
        parts = split(path, format, columns, id_prefix)
    except ArchiveError as error:
        yield letter(clean(path.name), "file", "file cannot be read", str(error))
        return
    for part in parts:
        yield from read(part)


__all__ = ["FORMATS", "ID_PREFIXES", "LONGEST_TEXT", "Format", "UnknownFormat", "read", "read_path", "sniff", "split"]
