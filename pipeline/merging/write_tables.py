"""Writing the tables of the graph, each as a number of files that depends on its number of rows only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindows

from pipeline.beam.bucketed_group_by_key import PackBlocks, ValueType, pack_block, unpack_blocks
from pipeline.beam.live_counts import LiveCounter
from pipeline.beam.memory import release_free_memory
from pipeline.beam.spill import Spill
from pipeline.record_counts import CountKey
from schemas import Record, content_hash
from sinks.tables.tables import write_table

# Average number of rows of a file at most. A worker sorts a file in memory, which takes more memory than other steps.
ROWS_PER_FILE = {
    "nodes": 200_000,
    "edges": 300_000,
    "evidence": 50_000,
    "documents": 10_000,
    "links": 100_000,
    "merges": 25_000,
    "dead_letters": 100_000,
}
# The column whose hash selects the file of a row; ids of nodes and edges are hashes, so their files are in order.
_KEYS = {
    "nodes": "id",
    "edges": "id",
    "evidence": "edge",
    "documents": "id",
    "links": "target",
    "merges": "id",
    "dead_letters": "document_id",
}
# The number of a file, and the number of files. Both are in the key, so that the step that writes needs no counts.
_File = tuple[int, int]
_HASHED = {"nodes", "edges", "evidence", "merges"}


@dataclass(eq=False)
class WriteTable(beam.PTransform[Any, Any]):
    """Rows of one table to its sorted Parquet files; the output has the number of rows of every file.

    Files are renamed when they are complete, so a bundle that runs twice leaves the same bytes. Files without rows are
    not written: see `write_empty_files`.

    Attributes:
        name: one of `schemas.TABLES`.
        kind: the record type of its rows.
        count: side input with the number of rows of each table, under ("rows", name).
        folder: folder of the files.
        tally: counts rows.
        buckets: number of buckets of the table.
    """

    name: str
    kind: type[Record]
    count: beam.pvalue.AsDict
    folder: str
    tally: LiveCounter
    buckets: int = 1

    def expand(self, rows: Any) -> Any:
        """Apply to a PCollection of `kind`."""
        return (
            rows
            | "place" >> beam.Map(lambda row: (place(self.name, row, self.buckets), row))
            | "pack" >> PackBlocks(self.buckets, ValueType(self.kind))
            | "to files"
            >> beam.ParDo(ToFiles(self, Spill.of(rows.pipeline)), self.count).with_output_types(tuple[_File, bytes])
            | "files" >> beam.GroupByKey()
            | "write" >> beam.ParDo(WriteFile(self.name, self.kind, self.folder, self.tally))
        )


class ToFiles(beam.DoFn):
    """Blocks to the files that they belong to; the blocks of a bucket with rows of several files are split."""

    def __init__(self, table: WriteTable, spill: Spill[_File]) -> None:
        self.name, self.kind, self.buckets = table.name, table.kind, table.buckets
        self.spill = spill

    def process(
        self, sent: tuple[int, tuple[int, bytes]], count: Mapping[CountKey, int]
    ) -> Iterator[tuple[_File, bytes]]:
        """Yield blocks under the numbers of files."""
        bucket, (_, block) = sent
        of = files(self.name, count["rows", self.name])
        first, last = bucket * of // self.buckets, ((bucket + 1) * of - 1) // self.buckets
        if first == last:
            yield (first, of), block
        else:
            parts: defaultdict[int, list[Any]] = defaultdict(list)
            for pair in unpack_blocks(block, self.kind):
                parts[place(self.name, pair[1], of)].append(pair)
            for number, pairs in parts.items():
                yield from self.spill.put((number, of), pack_block(pairs))

    def finish_bundle(self) -> Iterator[Any]:
        """Close the file of the bundle, and yield the references to its blocks."""
        return map(GlobalWindows.windowed_value, self.spill.close())


class WriteFile(beam.DoFn):
    """Writes the rows of one file."""

    def __init__(self, name: str, kind: type[Record], folder: str, tally: LiveCounter) -> None:
        self.name = name
        self.kind = kind
        self.folder = folder
        self.tally = tally
        self.rows = Metrics.counter("factmill.write", name)

    def process(self, group: tuple[_File, Iterable[bytes]]) -> Iterator[int]:
        """Yield the number of rows written."""
        (number, of), blocks = group
        path = Path(self.folder) / file_name(self.name, number, of)
        written = write_table((row for block in blocks for _, row in unpack_blocks(block, self.kind)), self.name, path)
        release_free_memory()
        self.rows.inc(written)
        self.tally.add(done=written)
        yield written

    def finish_bundle(self) -> None:
        """Write the live counts."""
        self.tally.flush()


def files(name: str, rows: int) -> int:
    """Return the number of files for a table with this number of rows."""
    return max(1, -(-rows // ROWS_PER_FILE[name]))


def file_name(name: str, number: int, of: int) -> str:
    """Return the name of file `number` (from 0) of a table with `of` files."""
    return f"{name}.parquet" if of == 1 else f"{name}-{number:05}-of-{of:05}.parquet"


def place(name: str, row: Record, of: int) -> int:
    """Return the number of the file, of `of` files, that a row belongs to."""
    key: str = getattr(row, _KEYS[name])
    digest = key if name in _HASHED else content_hash(key)
    return int(digest[:8], 16) * of >> 32


def write_empty_files(folder: Path, rows: Mapping[str, int]) -> None:
    """Write the files without rows, so that every table has the number of files in the names of its files."""
    for name in ROWS_PER_FILE:
        of = files(name, rows.get(name, 0))
        for number in range(of):
            path = folder / file_name(name, number, of)
            if not path.exists():
                write_table([], name, path)
