"""Writing: the tables of the graph, each in a number of files that depends on its number of rows only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms import combiners

from pipeline.tally import Tally
from schemas import Record, content_hash, decode, encode
from sinks.tables import write_table

# Rows of a file at most, on average: a file is sorted in memory. Rows with texts are larger.
ROWS_PER_FILE = {
    "nodes": 500_000,
    "edges": 1_000_000,
    "evidence": 200_000,
    "documents": 50_000,
    "dead_letters": 500_000,
}
# The column whose hash tells the file of a row; ids of nodes and edges are hashes, so their files are in order.
_KEYS = {"nodes": "id", "edges": "id", "evidence": "edge", "documents": "id", "dead_letters": "document_id"}
_HASHED = {"nodes", "edges", "evidence"}


@dataclass(eq=False)
class WriteTable(beam.PTransform[Any, Any]):
    """Rows of one table to its sorted Parquet files; the output has the number of rows of every file.

    Files are written under another name and renamed when complete, so a bundle that runs twice leaves the same bytes.

    Attributes:
        name: one of `schemas.TABLES`.
        kind: the record type of its rows.
        folder: where the files go.
        tally: counts rows.
    """

    name: str
    kind: type[Record]
    folder: str
    tally: Tally

    def expand(self, rows: Any) -> Any:
        """Apply to a PCollection of `kind`."""
        count = beam.pvalue.AsSingleton(rows | "rows" >> combiners.Count.Globally())
        # Every file gets a mark, so that one without rows is written too.
        marks = (
            rows.pipeline
            | "table" >> beam.Create([self.name])
            | "marks" >> beam.FlatMap(_marks, count).with_output_types(tuple[int, bytes])
        )
        placed = rows | "place" >> beam.Map(_place, self.name, count).with_output_types(tuple[int, bytes])
        return (
            (marks, placed)
            | "rows and marks" >> beam.Flatten()
            | "files" >> beam.GroupByKey()
            | "write" >> beam.ParDo(WriteFile(self.name, self.kind, self.folder, self.tally), count)
        )


class WriteFile(beam.DoFn):
    """The rows of one file to that file."""

    def __init__(self, name: str, kind: type[Record], folder: str, tally: Tally) -> None:
        self.name = name
        self.kind = kind
        self.folder = folder
        self.tally = tally
        self.rows = Metrics.counter("factmill.write", name)

    def process(self, group: tuple[int, Iterable[bytes]], count: int) -> Iterator[int]:
        """Yield the number of rows written."""
        number, encoded = group
        path = Path(self.folder) / file_name(self.name, number, files(self.name, count))
        rows = [decode(data, self.kind) for data in encoded if data]
        written = write_table(rows, self.name, path)
        self.rows.inc(written)
        self.tally.add(done=written)
        yield written

    def finish_bundle(self) -> None:
        """Show the counts."""
        self.tally.flush()


def files(name: str, rows: int) -> int:
    """Return the number of files for a table with so many rows."""
    return max(1, -(-rows // ROWS_PER_FILE[name]))


def file_name(name: str, number: int, of: int) -> str:
    """Return the name of file `number` (from 0) of a table in `of` files."""
    return f"{name}.parquet" if of == 1 else f"{name}-{number:05}-of-{of:05}.parquet"


def place(name: str, row: Record, of: int) -> int:
    """Return the number of the file, of so many, that a row belongs to."""
    key: str = getattr(row, _KEYS[name])
    digest = key if name in _HASHED else content_hash(key)
    return int(digest[:8], 16) * of >> 32


def _place(row: Record, name: str, count: int) -> tuple[int, bytes]:
    return place(name, row, files(name, count)), encode(row)


def _marks(name: str, count: int) -> Iterator[tuple[int, bytes]]:
    for number in range(files(name, count)):
        yield number, b""
