"""JSON Lines, and JSON over several lines: objects that are records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.readers.head import Head
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import NOT_JSON, UNREADABLE, letter
from pipeline.readers.records.fields import read_record
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage
from pipeline.readers.streams.encoding import utf8_chunks
from pipeline.readers.streams.jsonstream import values
from pipeline.readers.streams.lines import lines
from schemas import Intake
from schemas.text.clean import one_line

_OBJECT = re.compile(r"\{(?![{|])")  # wikitext begins with {{ or {|
_SPREAD = re.compile(r"\{\s*\n\s*[\"}]")  # an object over several lines


def read_jsonl(part: Part) -> Iterator[Intake]:
    """Yield the documents of a JSON Lines file, one JSON object a line."""
    last = 0
    for line in lines(utf8_chunks(Path(part.path), part.start, part.end), skip_first=bool(part.start)):
        if isinstance(line, Damage):
            yield letter(part.source, f"behind line {last}{_from(part)}", UNREADABLE, line.message)
            continue
        last = line.number
        if not line.data.strip():
            continue
        place = f"line {line.number}{_from(part)}"
        text = line.data.decode("utf-8-sig", "replace").rstrip()
        try:
            record = json.loads(text.removesuffix(","))
        except (ValueError, RecursionError) as error:
            detail = f"not JSON ({error}): write one object a line"
            yield letter(part.source, place, NOT_JSON, detail, _first_id(text, part))
            continue
        yield from read_record(record, place, part)


def read_json(part: Part) -> Iterator[Intake]:
    """Yield the documents of a JSON list of objects, or of objects one after the other, over any number of lines."""
    last = 0
    for item in values(utf8_chunks(Path(part.path))):
        if isinstance(item, Damage):
            yield letter(part.source, f"behind record {last}", UNREADABLE, item.message)
            continue
        last = item.number
        yield from read_record(item.value, f"record {item.number}", part)


def _first_id(text: str, part: Part) -> str | None:
    """Return the id of a broken object that begins with it."""
    name = json.dumps(dict(part.columns).get("id", "id"), ensure_ascii=False)
    match = re.match(rf'\s*\{{\s*{re.escape(name)}\s*:\s*(?:"([^"\\]+)"|(\d+)\s*[,}}])', text)
    return one_line(match[1] or match[2]) if match else None


def _from(part: Part) -> str:
    return f" from byte {part.start} of the file on" if part.start else ""


def _is_json(head: Head) -> bool:
    return bool(re.match(r"\[\s*\{", head.text) or _SPREAD.match(head.text))


JSONL = Format("jsonl", read_jsonl, lambda head: bool(_OBJECT.match(head.text)) and not _is_json(head), splittable=True)
JSON = Format("json", read_json, _is_json)
