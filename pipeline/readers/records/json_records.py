"""JSON Lines and Parquet: records with `id`, `title` and `text`; further simple fields become metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.streams.compression import Damage, chunks
from pipeline.readers.streams.lines import lines
from schemas import Document, Intake, content_hash
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import segment

_FIELDS = ("id", "title", "text")
_ROWS = 256  # rows of a Parquet file in memory at a time


def read_jsonl(part: Part) -> Iterator[Intake]:
    """Yield the documents of a JSON Lines file, one JSON object a line."""
    last = 0
    for line in lines(chunks(Path(part.path), part.start, part.end), skip_first=bool(part.start)):
        if isinstance(line, Damage):
            yield letter(part.source, f"behind line {last}{_from(part)}", UNREADABLE, line.message)
            continue
        last = line.number
        if not line.data.strip():
            continue
        place = f"line {line.number}{_from(part)}"
        try:
            yield _document(_decode(line.data), part.source)
        except WrongRecord as error:
            yield rejected(part.source, place, error)


def read_parquet(part: Part) -> Iterator[Intake]:
    """Yield the documents of a Parquet file, one a row."""
    row = 0
    try:
        with pq.ParquetFile(part.path) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                for fields in batch.to_pylist():
                    row += 1
                    try:
                        yield _document(fields, part.source)
                    except WrongRecord as error:
                        yield rejected(part.source, f"row {row}", error)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = one_line(str(error))[:200]
        yield letter(
            part.source, f"behind row {row}", UNREADABLE, f"not readable as Parquet ({reason}): write it again"
        )


def _from(part: Part) -> str:
    return f" from byte {part.start} of the file on" if part.start else ""


def _decode(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise WrongRecord(f"not JSON ({error}): write one object a line") from None
    if not isinstance(value, dict):
        raise WrongRecord(f"{type(value).__name__} instead of an object with the fields {', '.join(_FIELDS)}")
    return value


def _document(fields: Mapping[str, Any], source: str) -> Document:
    text = fields.get("text")
    if not isinstance(text, str):
        raise WrongRecord(f"the field 'text' is {type(text).__name__}: it must be a text")
    title = fields.get("title") or ""
    id = fields.get("id")
    for name, value in (("title", title), ("id", id)):
        if not isinstance(value, str | int | None) or isinstance(value, bool):
            raise WrongRecord(f"the field '{name}' is {type(value).__name__}: it must be a text")
    text, title = clean(text), one_line(str(title))
    # Without an id the content names the record, so that it stays the same in every run.
    id = one_line(str(id)) if id not in (None, "") else f"record:{content_hash('record', title, text)}"
    tokens, sentences = segment(text)
    metadata = {
        (clean(name), clean(str(value)))
        for name, value in fields.items()
        if name not in _FIELDS and isinstance(value, str | int | float | bool)
    }
    return Document(id, source, title, text, tokens, sentences, metadata=tuple(sorted(metadata)))
