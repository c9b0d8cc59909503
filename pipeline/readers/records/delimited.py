"""CSV and TSV: a table with a header whose rows are records."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pipeline.readers.head import Head
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.records.fields import ROLES, read_record
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage
from pipeline.readers.streams.encoding import utf8_chunks
from pipeline.readers.streams.lines import lines
from schemas import Intake
from schemas.text.clean import clean

NO_TEXT = "table without a column of texts"
_NAMES = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
# Delimiters with how many rows and columns must agree before a file that is not named as a table is one.
_DELIMITERS = {"\t": (2, 2), ",": (4, 3), ";": (4, 2)}
_ROWS = 50  # that are looked at
_SHOWN = 12  # columns that a message names
_SENTENCE_ENDS = (".", "!", "?", "。")


def read_csv(part: Part) -> Iterator[Intake]:
    """Yield the documents of a table, one a row; the first row names the columns."""
    damages: list[str] = []
    source = part.source
    delimiter = delimiter_of(Head.of(Path(part.path))) or ","
    rows = csv.reader(_text_lines(part, damages), delimiter=delimiter, strict=False)
    header: list[str] = []
    while True:
        place = f"line {rows.line_num + 1}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            detail = f"{error}: a table holds texts of at most {csv.field_size_limit()} characters, use JSON Lines"
            yield letter(source, place, "row is not readable", detail)
            continue
        for message in damages:
            yield letter(source, f"behind line {rows.line_num}", UNREADABLE, message)
        damages.clear()
        if row is None:
            return
        if not row or not any(map(str.strip, row)) or [name.strip() for name in row] == header:
            continue  # a blank line, or the header of a table that was appended to this one
        if not header:
            header = [name.strip() for name in row]
            text = dict(part.columns).get("text", "text")
            if text not in header:
                there = ", ".join(header[:_SHOWN]) + (" ..." if len(header) > _SHOWN else "")
                detail = f"there is no column {text!r}; there are: {there[:300]}: name it, as in --columns text=COLUMN"
                yield letter(source, "header", NO_TEXT, detail)
                return
        elif len(row) > len(header):
            message = f"{len(row)} fields, but {len(header)} columns: put texts that hold {delimiter!r} in quotes"
            yield rejected(source, place, WrongRecord(message, "more fields than columns"))
        else:
            yield from read_record(dict(zip(header, row, strict=False)), place, part)


def delimiter_of(head: Head) -> str | None:
    """Return what separates the fields of a table, or None if the file does not look like one."""
    named = _NAMES.get(head.suffix)
    lines = head.text.splitlines(keepends=True)[: 4 * _ROWS]
    for delimiter, (least_rows, least_columns) in _DELIMITERS.items():
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row][:_ROWS]
        except csv.Error:
            continue
        if not head.complete and len(rows) < _ROWS:
            rows = rows[:-1]
        columns = {len(row) for row in rows}
        if named:
            least_rows, least_columns = 1, 2
        if len(rows) >= least_rows and len(columns) == 1 and columns.pop() >= least_columns and _is_header(rows[0]):
            return delimiter
        if named and rows and len(rows[0]) >= least_columns and set(ROLES) & set(rows[0]):
            return delimiter
    return named


def _is_header(row: list[str]) -> bool:
    """Tell whether a row could name columns: no sentences, none twice."""
    names = [name.strip() for name in row]
    return len(set(names)) == len(names) and not any(name.endswith(_SENTENCE_ENDS) for name in names)


def _text_lines(part: Part, damages: list[str]) -> Iterator[str]:
    for line in lines(utf8_chunks(Path(part.path))):
        if isinstance(line, Damage):
            damages.append(line.message)
        else:
            yield clean(line.data.decode("utf-8-sig", "replace")).replace("\r", " ") + "\n"


FORMAT = Format("csv", read_csv, lambda head: delimiter_of(head) is not None)
