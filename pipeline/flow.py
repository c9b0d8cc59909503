"""The pipeline as a whole: from input files to tables and counts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.transforms import combiners

from pipeline.accounts import Counts, Entry, counts_of
from pipeline.coders import register_coders
from pipeline.extract import Extract
from pipeline.extractor_source import ExtractorSource
from pipeline.merge import DocumentRow, Merge
from pipeline.prepare import Prepare
from pipeline.read import Read
from pipeline.settle import Settle
from pipeline.tally import Tally
from pipeline.write import WriteTable
from schemas import DeadLetter, Edge, Evidence, Node, Record, Skipped

ROWS: dict[str, type[Record]] = {
    "nodes": Node,
    "edges": Edge,
    "evidence": Evidence,
    "documents": DocumentRow,
    "dead_letters": DeadLetter,
}
COUNTS = "counts.json"


class Flow(msgspec.Struct, frozen=True):
    """What the pipeline does.

    Attributes:
        paths: input files.
        format: their format, or None to find it in each.
        limit: at most so many documents, or None.
        source: where workers get the extractor from.
        batch_cost: pieces and pairs of a batch at most.
        min_confidence: edges below are left out.
        folder: where `tables` and `counts.json` go; workers see it under this path.
        tallies: folder of the live counts.
    """

    paths: tuple[str, ...]
    format: str | None
    limit: int | None
    source: ExtractorSource
    batch_cost: int
    min_confidence: float
    folder: str
    tallies: str


def construct(pipeline: beam.Pipeline, flow: Flow) -> None:
    """Add the whole flow to a Beam pipeline."""
    register_coders()

    def tally(stage: str) -> Tally:
        return Tally(flow.tallies, stage)

    read = pipeline | "Read" >> Read(flow.paths, flow.format, flow.limit, tally("read"))
    inputs = {"documents": read.documents, "removals": read.removals, "redirects": read.redirects}
    settled = inputs | "Settle" >> Settle(tally("settle"))
    prepared = settled.documents | "Prepare" >> Prepare(flow.source, flow.batch_cost, tally("extract"))
    extracted = prepared.batches | "Extract" >> Extract(flow.source, tally("extract"))
    merged = extracted.extracted | "Merge" >> Merge(flow.min_confidence)
    late = (prepared.dead, extracted.dead, merged["dead"]) | "late dead letters" >> beam.Flatten()
    dead = (read.dead, late) | "dead letters" >> beam.Flatten()

    tables = {**{name: merged[name] for name in ("nodes", "edges", "evidence", "documents")}, "dead_letters": dead}
    entries = [
        read.documents | "count documents" >> _entries("read", "documents"),
        read.removals | "count removals" >> _entries("read", "removals"),
        read.redirects | "count redirects" >> _entries("read", "redirects"),
        read.skipped | "count skipped" >> _entries("read", "skipped"),
        read.dead | "count dead" >> _entries("read", "dead letters"),
        read.skipped | "count skipped by reason" >> beam.Map(_skipped).with_output_types(Entry),
        settled.left_out | "count left out" >> beam.Map(_left_out).with_output_types(Entry),
        dead | "count dead by reason" >> beam.Map(_dead).with_output_types(Entry),
        merged["dropped"] | "count dropped" >> beam.Map(_dropped).with_output_types(Entry),
        *(rows | f"count rows of {name}" >> _entries("rows", name) for name, rows in tables.items()),
    ]
    # Counted here and not by metrics, because a bundle that runs twice counts once here.
    counts = beam.pvalue.AsDict(
        entries
        | "entries" >> beam.Flatten()
        | "count" >> combiners.Count.PerElement().with_output_types(tuple[Entry, int])
    )
    folder = str(Path(flow.folder) / "tables")
    for name, rows in tables.items():
        _ = rows | f"Write {name}" >> WriteTable(name, ROWS[name], counts, folder, tally("write"))
    _ = pipeline | "folder" >> beam.Create([flow.folder]) | "write counts" >> beam.Map(write_counts, counts)


def write_counts(folder: str, counts: Mapping[Entry, int]) -> None:
    """Write `counts.json`, complete or not at all."""
    path = Path(folder) / COUNTS
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(msgspec.to_builtins(counts_of(counts))), "utf-8")
    new.replace(path)


def read_counts(folder: Path) -> Counts:
    """Return what the pipeline counted."""
    return msgspec.json.decode((folder / COUNTS).read_bytes(), type=Counts)


def _entries(stage: str, what: str) -> Any:
    return beam.Map(lambda _: (stage, what)).with_output_types(Entry)


def _skipped(skipped: Skipped) -> Entry:
    return "skipped", skipped.reason


def _left_out(reason: str) -> Entry:
    return "skipped", reason


def _dead(letter: DeadLetter) -> Entry:
    return "dead letters", f"{letter.stage}: {letter.reason}"


def _dropped(reason: str) -> Entry:
    return "dropped", reason
