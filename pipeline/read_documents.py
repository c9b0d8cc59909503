"""Reading input files: documents, removals, redirects, skipped records and dead letters."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline import readers
from pipeline.beam.live_counts import LiveCounter
from pipeline.dead_letters import dead_letter, valid
from pipeline.languages import only
from pipeline.readers import Part
from pipeline.reading import Reading
from schemas import DeadLetter, Document, Intake, Redirect, Removal, Skipped, encode

_TAGS: dict[type[Any], str] = {DeadLetter: "dead", Skipped: "skipped", Removal: "removals", Redirect: "redirects"}
_INT64 = 2**63


@dataclass(eq=False)
class ReadDocuments(beam.PTransform[Any, Any]):
    """Pipeline to the documents of `paths`, and the other kinds of records by the tags in `_TAGS`.

    Files are split into parts which are read side by side. With a `limit`, one worker reads the files in the order
    given and stops after so many documents, so that a first try is quick and the same for any number of workers. Only
    documents in some `languages` are kept, if any are named.
    """

    paths: tuple[str, ...]
    reading: Reading
    limit: int | None
    languages: tuple[str, ...]
    tally: LiveCounter

    def expand(self, pipeline: Any) -> Any:
        """Apply to a pipeline; the result has the attributes documents, dead, skipped, removals and redirects."""
        if self.limit is None:
            files = pipeline | "files" >> beam.Create(self.paths)
            sources = files | "split" >> beam.FlatMap(split, self.reading) | "spread" >> beam.Reshuffle()
            read: beam.DoFn = ReadPart(self.tally, self.languages)
        else:
            sources = pipeline | "all files" >> beam.Create([self.paths])
            read = ReadFirst(self.tally, self.languages, self.reading, self.limit)
        hints = {tag: kind for kind, tag in _TAGS.items()}
        return sources | "read" >> beam.ParDo(read).with_output_types(Document, **hints).with_outputs(
            *hints, main="documents"
        )


class _Read(beam.DoFn):
    def __init__(self, tally: LiveCounter, languages: tuple[str, ...]) -> None:
        self.tally = tally
        self.languages = languages
        self.records = Metrics.counter("factmill.read", "records")
        self.dead = Metrics.counter("factmill.read", "dead_letters")
        self.characters = Metrics.distribution("factmill.read", "characters")

    def by_kind(self, items: Iterable[Intake]) -> Iterator[Any]:
        """Yield documents as they are and everything else with its tag."""
        for item in items:
            self.records.inc()
            if isinstance(item, Document):
                self.characters.update(len(item.text))
                self.tally.add(done=1)
                yield item
                continue
            if isinstance(item, DeadLetter):
                self.dead.inc()
                self.tally.add(dead=1)
            yield beam.pvalue.TaggedOutput(_TAGS[type(item)], item)

    def finish_bundle(self) -> None:
        self.tally.flush()


class ReadPart(_Read):
    """Part of a file to everything in it; a dead letter of `split` stays one."""

    def process(self, part: Part | DeadLetter) -> Iterator[Any]:
        """Yield documents, and the other kinds by their tag."""
        yield from self.by_kind(only(self.languages, read_part(part)))


class ReadFirst(_Read):
    """Files to everything in them up to the last of the first `limit` documents."""

    def __init__(self, tally: LiveCounter, languages: tuple[str, ...], reading: Reading, limit: int) -> None:
        super().__init__(tally, languages)
        self.reading = reading
        self.limit = limit

    def process(self, paths: tuple[str, ...]) -> Iterator[Any]:
        """Yield documents, and the other kinds by their tag."""
        parts = chain.from_iterable(split(path, self.reading) for path in paths)
        items = only(self.languages, chain.from_iterable(map(read_part, parts)))
        yield from self.by_kind(first_documents(items, self.limit))


def split(path: str, reading: Reading) -> list[Part | DeadLetter]:
    """Return the parts of a file, or one dead letter when it cannot be split."""
    name = Path(path).name
    try:
        return readers.split(Path(path), reading.format, reading.columns, reading.id_prefix)
    except Exception as error:
        # The folder of a file must not appear in the tables.
        detail = f"{type(error).__name__}: {error}".replace(path, name)
        if isinstance(error, FileNotFoundError) and _is_escaped(Path(path)):
            detail = "the name is not valid Unicode: rename the file"
        elif isinstance(error, PermissionError):
            detail = f"there is no permission to read '{name}': change it, or leave it out"
        return [dead_letter(name, name, "read", "file cannot be read", detail)]


def _is_escaped(path: Path) -> bool:
    """Return whether a name replaces one that is not valid Unicode, as `input_files` writes it."""
    try:
        names = [os.fsencode(other.name).decode("utf-8", "backslashreplace") for other in path.parent.iterdir()]
    except OSError:
        return "\\x" in str(path.parent)  # the name of a folder is
    return path.name in names


def read_part(part: Part | DeadLetter) -> Iterator[Intake]:
    """Yield what a reader finds in a part, with dead letters for what cannot be stored and where the reader fails."""
    if isinstance(part, DeadLetter):
        yield part
        return
    records = 0
    try:
        for item in readers.read(part):
            yield _storable(item)
            records += 1
    except Exception as error:
        place = f"{part.source}, bytes {part.start or 0} to {part.end or 'the end'}, after {records} records"
        detail = f"{type(error).__name__}: {error}".replace(part.path, part.source)
        yield dead_letter(place, part.source, "read", "reader failed", detail)


def first_documents(items: Iterable[Intake], limit: int) -> Iterator[Intake]:
    """Yield items up to and including the document number `limit`."""
    documents = 0
    for item in items:
        yield item
        documents += isinstance(item, Document)
        if documents >= limit:
            return


def _storable(item: Intake) -> Intake:
    """Return the item, or a dead letter when it holds what no table can: lone surrogates, huge numbers."""
    try:
        encode(item)
        if isinstance(item, Document) and not -_INT64 <= item.version < _INT64:
            raise OverflowError(f"version {item.version} does not fit into 64 bits")
        return item
    except (UnicodeEncodeError, OverflowError) as error:
        if isinstance(item, DeadLetter):
            return dead_letter(item.document_id, item.source, item.stage, item.reason, item.detail)
        if isinstance(item, Skipped):
            return Skipped(valid(item.source), valid(item.reason))
        id = item.alias if isinstance(item, Redirect) else item.id if isinstance(item, Document) else item.document_id
        return dead_letter(id, item.source, "read", "text cannot be stored", error)
