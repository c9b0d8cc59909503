"""The tables as CSV files: nodes, edges, evidence and documents with all their columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from schemas import TABLES, RelationSchema
from sinks.tables.arrow_text import json_lists, json_structures
from sinks.tables.evidence import checked_evidence
from sinks.tables.tables import GraphTables
from sinks.writer import GraphWriter, relation_of

_TABLES = ("nodes", "edges", "evidence", "documents")
_ROWS = 16_384


class CsvWriter(GraphWriter):
    """Writes the folder `graph-csv` with a file for each table, in UTF-8 after RFC 4180; lists are JSON."""

    name = "csv"
    file = "graph-csv"

    def write_draft(self, tables: GraphTables, draft: Path, schema: RelationSchema) -> dict[str, int]:
        """Write the rows in the order of the tables."""
        draft.mkdir()
        counts = {}
        for name in _TABLES:
            columns = pa.schema([(field.name, _cell_type(field.type)) for field in TABLES[name]])
            batches = checked_evidence(tables, _ROWS) if name == "evidence" else tables.batches(name, rows=_ROWS)
            counts[name] = 0
            with pa_csv.CSVWriter(str(draft / f"{name}.csv"), columns) as writer:
                for batch in batches:
                    if name == "edges":
                        for relation in batch.column("relation").unique().to_pylist():
                            relation_of(schema, relation)
                    writer.write_batch(pa.RecordBatch.from_arrays([_cells(column) for column in batch], schema=columns))
                    counts[name] += len(batch)
        return counts


def _cell_type(type: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_list(type) else type


def _cells(column: pa.Array) -> pa.Array:
    if not pa.types.is_list(column.type):
        return column
    return json_structures(column) if pa.types.is_struct(column.type.value_type) else json_lists(column)
