"""Joins edges with their evidence in one pass over two tables with the same order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import TABLES
from sinks.tables.tables import GraphTables, TableError

_COLUMNS = ("edge", "document", "text")


def edges_with_evidence(tables: GraphTables, rows: int = 65_536) -> Iterator[pa.Table]:
    """Yield the edges in their order, at most `rows` at a time, with their evidence as two more columns.

    The columns `documents` and `evidence` are lists of equal length: the document and the text of every sentence that
    supports the edge. Memory holds one batch of edges and its evidence.

    Raises:
        TableError: a row of evidence belongs to no edge, or the tables are not sorted.
    """
    evidence = _Queue(tables)
    for batch in tables.batches("edges", rows=rows):
        ids = batch.column("id")
        taken = evidence.up_to(ids[-1].as_py())
        position = pc.index_in(taken["edge"], value_set=ids)
        if position.null_count:
            stray = taken["edge"].filter(pc.is_null(position))[0]
            raise TableError(f"evidence names the edge '{stray}', which the edges lack: build the tables again")
        rows_of = position.to_numpy()
        if (np.diff(rows_of) < 0).any():
            raise TableError("the tables 'edges' and 'evidence' are not in the same order: build the tables again")
        counts = np.bincount(rows_of, minlength=len(ids))
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        table = pa.Table.from_batches([batch])
        for name, source in (("documents", "document"), ("evidence", "text")):
            values = taken[source].combine_chunks()
            table = table.append_column(name, pa.ListArray.from_arrays(offsets, values))
        yield table
    left = evidence.up_to(None)
    if len(left):
        raise TableError(f"evidence names the edge '{left['edge'][0]}', which the edges lack: build the tables again")


def checked_evidence(tables: GraphTables, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Yield the evidence in its order, at most `rows` at a time.

    Raises:
        TableError: a row belongs to no edge, or the tables are not sorted.
    """
    edges = tables.batches("edges", ("id",), rows)
    known = pa.array([], pa.string())
    for batch in tables.batches("evidence", rows=rows):
        wanted = batch.column("edge").unique()
        while not len(known) or known[-1].as_py() < wanted[-1].as_py():
            more = next(edges, None)
            if more is None:
                break
            # Of the edges before this batch only the last may have more evidence.
            known = pa.concat_arrays([known.filter(pc.greater_equal(known, wanted[0])), more.column("id")])
        position = pc.index_in(wanted, value_set=known)
        if position.null_count:
            stray = wanted.filter(pc.is_null(position))[0]
            raise TableError(f"evidence names the edge '{stray}', which the edges lack: build the tables again")
        if (np.diff(position.to_numpy()) < 0).any():
            raise TableError("the tables 'edges' and 'evidence' are not in the same order: build the tables again")
        known = known.slice(position[-1].as_py())
        yield batch


class _Queue:
    """Rows of evidence in order, taken up to a given edge."""

    def __init__(self, tables: GraphTables) -> None:
        self._batches = tables.batches("evidence", _COLUMNS)
        self._waiting = pa.schema([TABLES["evidence"].field(name) for name in _COLUMNS]).empty_table()

    def up_to(self, edge: str | None) -> pa.Table:
        """Return the remaining rows whose edge is at most `edge`; all of them if it is None."""
        parts = []
        while True:
            cut = len(self._waiting) if edge is None else _rows_up_to(self._waiting["edge"], edge)
            parts.append(self._waiting.slice(0, cut))
            self._waiting = self._waiting.slice(cut)
            if len(self._waiting):
                break
            batch = next(self._batches, None)
            if batch is None:
                break
            self._waiting = pa.Table.from_batches([batch])
        return pa.concat_tables(parts)


def _rows_up_to(edges: pa.ChunkedArray, last: str) -> int:
    """Return how many of the sorted `edges` are at most `last`."""
    return int(pc.sum(pc.less_equal(edges, last)).as_py() or 0)
