"""Parquet: a table whose rows are records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, letter
from pipeline.readers.records.fields import read_record
from pipeline.readers.registry import Format
from pipeline.readers.streams.archives import open_file
from schemas import Intake
from schemas.text.clean import one_line

_ROWS = 256  # rows in memory at a time


def read_parquet(part: Part) -> Iterator[Intake]:
    """Yield the documents of a Parquet file, one a row."""
    row = 0
    path = Path(part.path)
    try:
        with open_file(path) as opened:
            source = part.path if path.is_file() else io.BytesIO(opened.read())  # a member of an archive cannot seek
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                for fields in batch.to_pylist():
                    row += 1
                    yield from read_record(fields, f"row {row}", part)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = one_line(str(error))[:200]
        yield letter(
            part.source, f"behind row {row}", UNREADABLE, f"not readable as Parquet ({reason}): write it again"
        )


FORMAT = Format("parquet", read_parquet, lambda head: head.data.startswith(b"PAR1"))
