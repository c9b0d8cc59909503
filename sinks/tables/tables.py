"""The Parquet tables of a merged graph: written sorted and deterministic, read in streaming batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import SORT_KEYS, TABLES, Record, RelationSchema
from schemas.atomic_files import replacing

# Readers skip or load whole row groups; texts of documents are long, so their row groups have fewer rows.
_ROWS = 65_536
_ROW_GROUP = {"documents": 2_048}
# Records that are converted to columns in one step: as Python objects they take several times the memory.
_RECORDS = 8_192

R = TypeVar("R", bound=Record)


class TableError(ValueError):
    """A table is missing, unreadable or lacks documented columns; the message names the file and the remedy."""


def write_table(rows: Iterable[Record] | pa.Table, name: str, path: str | Path) -> int:
    """Write one table of `schemas.TABLES`, sorted by its `SORT_KEYS`; equal rows give equal bytes in any order.

    Args:
        rows: records, or any objects whose attributes are named like the columns, or an Arrow table that has them.
        name: `nodes`, `edges`, `evidence`, `documents`, `links`, `merges` or `dead_letters`.
        path: the file; it is written completely or not at all.

    Returns:
        The number of rows.

    Raises:
        TableError: there is no table `name`, or the rows do not fit its columns.
        OSError: the file cannot be written.
    """
    if name not in TABLES:
        raise TableError(f"no table '{name}': use one of {', '.join(TABLES)}")
    schema = TABLES[name]
    try:
        table = rows.select(schema.names).cast(schema) if isinstance(rows, pa.Table) else to_table(rows, name)
    except (KeyError, AttributeError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(
            f"rows do not fit table '{name}' ({error}): docs/reference/tables.md has its columns"
        ) from error
    # An array of Arrow's 32-bit strings holds at most 2 GiB; a corpus may have more.
    table = table.cast(pa.schema([_wide(field) for field in schema])).combine_chunks()
    order = pc.sort_indices(table, sort_keys=[(key, "ascending") for key in SORT_KEYS[name]])
    size = _ROW_GROUP.get(name, _ROWS)
    with (
        replacing(Path(path)) as draft,
        pq.ParquetWriter(draft, schema, compression="zstd", compression_level=3) as writer,
    ):
        for start in range(0, len(order), size):
            writer.write_table(table.take(order.slice(start, size)).cast(schema), row_group_size=size)
    return len(order)


def to_table(rows: Iterable[Any], name: str) -> pa.Table:
    """Return records as an Arrow table in the given order, with the columns of table `name`.

    Lone surrogates, which cannot be stored in files, become U+FFFD.
    """
    schema = TABLES[name]
    iterator = iter(rows)
    batches = []
    while chunk := list(islice(iterator, _RECORDS)):
        columns = [_column([getattr(row, field.name) for row in chunk], field.type) for field in schema]
        batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _column(values: list[Any], type: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, type)
    except UnicodeEncodeError:
        return pa.array([_storable(value) for value in values], type)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [_storable(item) for item in value] if isinstance(value, tuple | list) else value


def _wide(field: pa.Field) -> pa.Field:
    return field.with_type(pa.large_string()) if field.type == pa.string() else field


def to_records(table: pa.Table, kind: type[R]) -> list[R]:
    """Return the rows of a table without spans (`nodes`, `edges`, `dead_letters`) as records of type `kind`."""
    return msgspec.convert(table.to_pylist(), list[kind])  # type: ignore[valid-type]


@dataclass(frozen=True)
class GraphTables:
    """The tables of one graph on disk; a table may consist of several consecutive files (`nodes*.parquet`)."""

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> GraphTables:
        """Return the tables in `folder`, which is the output folder of a build or the `tables` folder in it.

        Raises:
            TableError: the folder or a table that every graph has is missing; the message names the remedy.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise TableError(f"no folder '{folder}': build a graph first with 'factmill build INPUT --out {folder}'")
        tables = cls(folder / "tables" if (folder / "tables").is_dir() else folder)
        for name in ("nodes", "edges"):
            tables.files(name)
        return tables

    def files(self, name: str) -> list[Path]:
        """Return the files of a table in order."""
        files = sorted(self.folder.glob(f"{name}*.parquet"))
        if not files:
            raise TableError(
                f"no table '{name}' in '{self.folder}': the build did not end, or this is no output folder; "
                f"run 'factmill build' again"
            )
        return files

    def relation_schema(self) -> RelationSchema | None:
        """Return the relation schema that `run.json` names, the report of the build; None if there is no report.

        Raises:
            TableError: the report is damaged.
        """
        report = self.folder.parent / "run.json" if self.folder.name == "tables" else self.folder / "run.json"
        try:
            return msgspec.convert(msgspec.json.decode(report.read_bytes())["relation_schema"], RelationSchema)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
            raise TableError(f"'{report}' holds no relation schema ({error}): run 'factmill build' again") from error

    def count(self, name: str) -> int:
        """Return the number of rows of a table without reading them."""
        return sum(file.metadata.num_rows for file in self._parts(name))

    def batches(self, name: str, columns: Sequence[str] | None = None, rows: int = _ROWS) -> Iterator[pa.RecordBatch]:
        """Yield a table in order, at most `rows` rows at a time; memory holds one batch."""
        for file in self._parts(name):
            yield from file.iter_batches(batch_size=rows, columns=list(columns or TABLES[name].names))

    def read(self, name: str, columns: Sequence[str] | None = None, where: pc.Expression | None = None) -> pa.Table:
        """Return a table, or those of its rows for which `where` holds; row groups that cannot match are not read."""
        import pyarrow.dataset as ds  # it imports pandas, which takes half a second

        list(self._parts(name))
        files = [str(file) for file in self.files(name)]
        data = ds.dataset(files, schema=TABLES[name], format="parquet")
        return data.to_table(columns=list(columns or TABLES[name].names), filter=where)

    def _parts(self, name: str) -> Iterator[pq.ParquetFile]:
        for path in self.files(name):
            try:
                file = pq.ParquetFile(path)
            except pa.ArrowInvalid as error:
                raise TableError(
                    f"'{path}' is not readable as Parquet ({error}): run 'factmill build' again"
                ) from error
            with file:
                missing = [column for column in TABLES[name].names if column not in file.schema_arrow.names]
                if missing:
                    raise TableError(
                        f"'{path}' lacks the column '{missing[0]}': another version wrote it; build it again"
                    )
                yield file
