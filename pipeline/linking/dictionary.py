"""The user's dictionary: names, the entries that they denote, their types and priors.

It is checked and copied into the store when a build starts, so that updates do not need the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dead_letters import BuildError
from pipeline.linking.aliases import AliasCounts, alias_key
from pipeline.linking.target_profiles import TargetProfile
from pipeline.store.store import Store
from schemas import Record
from schemas.atomic_files import replacing

FILE = "dictionary.parquet"
_COLUMNS = ("alias", "id", "type", "prior")
_NEEDED = _COLUMNS[:2]
_SCHEMA = pa.schema([("alias", pa.string()), ("id", pa.string()), ("type", pa.string()), ("prior", pa.int64())])
_ROWS = 65_536
# A type in the dictionary counts as much as the types of this many entities.
_STATED = 10
_MOST = 1e12


class DictionaryEntry(Record, frozen=True):
    """A row: a name, the entry that it denotes, the type of the entry or nothing, and the prior in thousandths."""

    alias: str
    id: str
    type: str
    prior: int

    def alias_count(self) -> tuple[str, dict[str, AliasCounts]]:
        """Return the alias counts of the row."""
        return alias_key(self.alias), {self.id: AliasCounts(prior=self.prior)}

    def type_count(self) -> tuple[str, TargetProfile]:
        """Return the target profile of the row."""
        return self.id, TargetProfile(((self.type, _STATED),)) if self.type else TargetProfile()


def copy_dictionary(path: str | Path, folder: Path) -> None:
    """Check a dictionary and put it into the folder of a store.

    Args:
        path: a CSV file with a header, or a Parquet file; columns `alias`, `id`, and optionally `type` and `prior`.
        folder: of the store.

    Raises:
        BuildError: it cannot be used; the message names file, line and remedy.
    """
    path = Path(path)
    entries = _entries(path)
    with replacing(folder / FILE) as draft, pq.ParquetWriter(draft, _SCHEMA, compression="zstd") as writer:
        while rows := list(islice(entries, _ROWS)):
            columns = zip(*((row.alias, row.id, row.type, row.prior) for row in rows), strict=True)
            writer.write_table(pa.table([pa.array(values) for values in columns], _SCHEMA))


def has_dictionary(store: Store) -> bool:
    """Return whether a store has a dictionary."""
    return (store.folder / FILE).is_file()


def dictionary_bytes(store: Store) -> bytes:
    """Return the bytes of the dictionary in a store, or nothing."""
    return (store.folder / FILE).read_bytes() if has_dictionary(store) else b""


class ReadDictionary(beam.PTransform[Any, Any]):
    """A pipeline to the entries of the dictionary in a store."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.path = str(store.folder / FILE)

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline."""
        groups = range(pq.read_metadata(self.path).num_row_groups)
        return (
            pipeline
            | "parts" >> beam.Create(groups).with_output_types(int)
            | "spread" >> beam.Reshuffle()
            | "entries" >> beam.FlatMap(_read, self.path).with_output_types(DictionaryEntry)
        )


def _read(group: int, path: str) -> Iterator[DictionaryEntry]:
    with pq.ParquetFile(path) as file:
        for row in file.read_row_group(group).to_pylist():
            yield DictionaryEntry(**row)


def _entries(path: Path) -> Iterator[DictionaryEntry]:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            with pq.ParquetFile(path) as table:
                _check_columns(table.schema_arrow.names, f"'{path}'")
                number = 0
                for batch in table.iter_batches(batch_size=_ROWS):
                    for row in batch.to_pylist():
                        number += 1
                        yield _entry(row, f"'{path}', row {number}")
        else:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.DictReader(lines, strict=True)
                _check_columns(reader.fieldnames or (), f"'{path}', line 1")
                for row in reader:
                    yield _entry(row, f"'{path}', line {reader.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BuildError(
            f"cannot read the dictionary '{path}' ({reason}): give a CSV file in UTF-8, or a Parquet file"
        ) from None


def _check_columns(names: Any, where: str) -> None:
    rule = "the columns are alias and id, and optionally type and prior"
    for name in _NEEDED:
        if name not in names:
            raise BuildError(f"{where}: there is no column '{name}'; {rule}")
    for name in names:
        if name not in _COLUMNS:
            raise BuildError(f"{where}: unknown column '{name}'; {rule}")


def _entry(row: Mapping[Any, Any], where: str) -> DictionaryEntry:
    if None in row or (None in row.values() and not all(row.get(name) is not None for name in _NEEDED)):
        raise BuildError(
            f"{where}: the row has another number of cells than the header; quote values that contain a comma"
        )
    alias, id = (str(row[name]).strip() for name in _NEEDED)
    vocabulary, colon, rest = id.partition(":")
    if not alias_key(alias):
        raise BuildError(f"{where}: the alias is empty or longer than 200 characters; shorten it or remove the row")
    if not (vocabulary and colon and rest):
        raise BuildError(f"{where}: the id {id!r} has no vocabulary; write it with one, for example 'mesh:D008094'")
    given = row.get("prior")
    try:
        prior = float(1 if given is None or given == "" else given)
    except ValueError:
        prior = -1.0
    if not (isfinite(prior) and 0 <= prior <= _MOST):
        raise BuildError(
            f"{where}: the prior {given!r} is neither a count nor a share; write a number from 0, or leave it out"
        )
    return DictionaryEntry(alias, id, str(row.get("type") or "").strip(), round(1000 * prior))
