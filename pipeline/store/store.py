"""The extraction store: documents with their extractions, from which the tables are computed.

Extraction is expensive and merging is cheap, so changes apply to the store: documents are added, replaced and removed,
and the tables are merged from it again. It is a folder of Parquet files, the shards. The hash of a document's id
selects its shard; the number of shards follows from the size of the corpus, not from the number of workers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dead_letters import BuildError, BuildFailed
from pipeline.store.headings import listed_targets
from schemas import DeadLetter, Document, Extraction, Redirect, Removal, content_hash, encode
from schemas.atomic_files import replacing

# Name of the store in a graph's folder, and of the file that describes it.
FOLDER = "extractions"
INFO = "store.json"
# Incremented when the form or the meaning of shards changes.
FORMAT = 3

# Kinds of rows. A document with its extraction; a document that could not be extracted, with its dead letter; ids that
# a source withdraws; other names of pages; and dead letters of reading.
DOCUMENT, FAILED, REMOVAL, REDIRECT, UNREAD = "document", "failed", "removal", "redirect", "unread"
DOCUMENTS = (DOCUMENT, FAILED)

# Encoded documents of a shard, in bytes, until there are as many shards as there may be. A document takes about two and
# a half times its text.
_BYTES = 131_072
_MOST = 16_384
_ROWS_AT_ONCE = 256
_SIZES = b"factmill"

_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("links", pa.list_(pa.string()), nullable=False),
        pa.field("record", pa.binary(), nullable=False),
        pa.field("found", pa.binary(), nullable=False),
    ]
)


class Row(NamedTuple):
    """A row of a shard.

    Attributes:
        kind: see above.
        id: of the document; of a redirect its alias, of a dead letter what it is about.
        version: of the document, else 0.
        links: knowledge-base ids in the document and its extraction, sorted; those that it is listed under, too.
        record: the encoded Document, Removal, Redirect or DeadLetter.
        found: the encoded Extraction of a document, the DeadLetter of a failed one, else nothing.
    """

    kind: str
    id: str
    version: int
    links: tuple[str, ...]
    record: bytes
    found: bytes


class StoreInfo(msgspec.Struct, frozen=True):
    """The description of a store.

    Attributes:
        format: `FORMAT` when it was written.
        factmill: version of factmill that extracted.
        extractor: what identifies its extractor.
        shards: number of shards.
        documents: number of documents, those that failed too.
        size: bytes of all encoded documents.
        redirects: number of redirects.
        unread: number of dead letters of reading.
        linked: number of documents with a knowledge-base id.
    """

    format: int
    factmill: str
    extractor: dict[str, str]
    shards: int
    documents: int
    size: int
    redirects: int
    unread: int
    linked: int


class ShardSizes(msgspec.Struct, frozen=True):
    """What a shard holds: documents (failed ones too), their encoded bytes, redirects, dead letters of reading, and how
    many of the documents have a knowledge-base id."""

    documents: int
    size: int
    redirects: int
    unread: int
    linked: int


@dataclass(frozen=True)
class Store:
    """A store on disk."""

    folder: Path
    info: StoreInfo

    @classmethod
    def open(cls, graph: Path) -> Store:
        """Return the store of the graph in a folder.

        Raises:
            BuildError: there is none, or another version wrote it; the message has the remedy.
        """
        path = graph / FOLDER / INFO
        try:
            info = msgspec.json.decode(path.read_bytes(), type=StoreInfo)
        except FileNotFoundError:
            raise BuildError(
                f"'{graph}' has no folder '{FOLDER}', so its documents cannot change: build it again from its files"
            ) from None
        except msgspec.MsgspecError as error:
            raise BuildError(f"'{path}' is damaged ({error}): build the graph again from its files") from None
        if info.format != FORMAT:
            raise BuildError(
                f"'{graph}' has extractions of format {info.format}, by factmill {info.factmill}, and this one reads "
                f"format {FORMAT}: build the graph again from its files, or use that version"
            )
        store = cls(path.parent, info)
        missing = [number for number in range(info.shards) if not store.path(number).is_file()]
        if missing:
            raise BuildError(f"'{store.path(missing[0])}' is missing: build the graph again from its files")
        return store

    def path(self, number: int) -> Path:
        """Return the file of a shard."""
        return self.folder / shard_name(number, self.info.shards)

    def rows(self, number: int, of: int) -> list[Row]:
        """Return the rows that belong into shard `number` if there were `of` shards, which may be more than there are.

        Both numbers of shards are powers of two, so they are all in one shard of this store.
        """
        shard = read_shard(self.path(number % self.info.shards))
        return [row for row in shard if of == self.info.shards or shard_of(row.id, of) == number]


def shards_for(size: int) -> int:
    """Return the number of shards for documents of so many bytes: a power of two."""
    number = 1
    while number < _MOST and number * _BYTES < size:
        number *= 2
    return number


def shard_of(id: str, of: int) -> int:
    """Return the number of the shard, of so many, that an id belongs to."""
    return int(content_hash("shard", id)[:8], 16) % of


def shard_name(number: int, of: int) -> str:
    """Return the name of a shard's file."""
    return f"shard-{number:05}-of-{of:05}.parquet"


def extracted_row(document: Document, outcome: Extraction | DeadLetter) -> Row:
    """Return the row of a document with its extraction or dead letter."""
    if isinstance(outcome, DeadLetter):
        return Row(FAILED, document.id, document.version, (), encode(document), encode(outcome))
    links = tuple(sorted(kb_ids(document) | kb_ids(outcome) | listed_targets(document)))
    return Row(DOCUMENT, document.id, document.version, links, encode(document), encode(outcome))


def kb_ids(holder: Document | Extraction) -> set[str]:
    """Return every knowledge-base id that a mention or an entity carries."""
    found: set[str] = set()
    for mention in holder.mentions if isinstance(holder, Document) else ():
        found.update(mention.kb_ids)
    for entity in holder.entities or ():
        found.update(entity.kb_ids)
        for mention in entity.mentions:
            found.update(mention.kb_ids)
    return found


def other_row(item: Removal | Redirect | DeadLetter) -> Row:
    """Return the row of a record that is not a document."""
    if isinstance(item, Removal):
        # The file of the removal does not matter, so it is not kept.
        return Row(REMOVAL, item.document_id, 0, (), b"", b"")
    if isinstance(item, Redirect):
        return Row(REDIRECT, item.alias, 0, (), encode(item), b"")
    return Row(UNREAD, item.document_id, 0, (), encode(item), b"")


def write_shard(rows: Collection[Row], path: Path) -> None:
    """Write a shard, whole or not at all; the same rows in any order give the same bytes."""
    columns = list(zip(*sorted(rows), strict=True)) or [()] * len(_SCHEMA)
    sizes = ShardSizes(
        documents=sum(row.kind in DOCUMENTS for row in rows),
        size=sum(len(row.record) for row in rows if row.kind in DOCUMENTS),
        redirects=sum(row.kind == REDIRECT for row in rows),
        unread=sum(row.kind == UNREAD for row in rows),
        linked=sum(bool(row.links) for row in rows),
    )
    schema = _SCHEMA.with_metadata({_SIZES: msgspec.json.encode(sizes)})
    table = pa.table([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema)
    with replacing(path) as draft:
        pq.write_table(table, draft, row_group_size=_ROWS_AT_ONCE, compression="zstd", use_dictionary=["kind"])


def read_shard(path: Path, kinds: Iterable[str] | None = None) -> Iterator[Row]:
    """Yield the rows of a shard, those of some kinds or all."""
    wanted = None if kinds is None else set(kinds)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if wanted is None or values[0] in wanted:
                    kind, id, version, links, record, found = values
                    yield Row(kind, id, version, tuple(links), record, found)


def shard_sizes(path: Path) -> ShardSizes:
    """Return what a shard holds; reads only its footer."""
    return msgspec.json.decode(pq.read_schema(path).metadata[_SIZES], type=ShardSizes)


def read_links(path: Path) -> set[str]:
    """Return all knowledge-base ids in a shard; reads nothing but them."""
    with pq.ParquetFile(path) as file:
        links = file.read(["links"])["links"]
    return {id for chunk in links.chunks for id in chunk.flatten().to_pylist()}


def link_or_copy(shard: Path, path: Path) -> None:
    """Put a copy of a shard at `path`: a hard link to the same file where the file system has them."""
    with replacing(path) as draft:
        try:
            os.link(shard, draft)
        except OSError:
            shutil.copyfile(shard, draft)


def complete(folder: Path, extractor: dict[str, str], factmill: str) -> StoreInfo:
    """Write the description of the store whose shards are in a folder, and return it.

    Raises:
        BuildFailed: a shard is missing.
    """
    found = sorted(folder.glob("shard-*.parquet"))
    if [path.name for path in found] != [shard_name(number, len(found)) for number in range(len(found))]:
        raise BuildFailed(f"shards are missing in '{folder}': do not use this result")
    sizes = [shard_sizes(path) for path in found]
    info = StoreInfo(
        format=FORMAT,
        factmill=factmill,
        extractor=extractor,
        shards=len(found),
        documents=sum(part.documents for part in sizes),
        size=sum(part.size for part in sizes),
        redirects=sum(part.redirects for part in sizes),
        unread=sum(part.unread for part in sizes),
        linked=sum(part.linked for part in sizes),
    )
    with replacing(folder / INFO) as draft:
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")
    return info
