"""Build a graph from files, or from texts and documents of a program."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from glob import iglob
from pathlib import Path

from factmill.documents import described, make_document
from factmill.graph import Graph, open_graph
from factmill.model import Model
from factmill.own_process import unchanged_process
from pipeline.dead_letters import BuildError
from pipeline.readers.records.document_file import FILE_NAME, DocumentFile
from schemas import Document

_LONGEST_PATH = 4096
_WORDS_OF_A_PATH = 8
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,6}$")


def build(
    inputs: str | Path | Document | Iterable[str | Path | Document],
    out: str | Path,
    *,
    model: str | Path | Model = "docred-minilm",
    formats: Sequence[str] = ("rdf", "cypher"),
    min_confidence: float = 0.0,
    min_precision: float | None = None,
    schema: str | Path | None = None,
    rules: Mapping[str, str] | None = None,
    link: bool = True,
    resolve: bool = True,
    dictionary: str | Path | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    id_prefix: str | None = None,
    correlation: float = 0.0,
    limit: int | None = None,
    languages: Sequence[str] = (),
    workers: int | None = None,
    runner: str = "local",
    beam: Sequence[str] = (),
    resume: bool = False,
) -> Graph:
    """Build a graph and return it; equal inputs give the same graph, to the byte.

    Args:
        inputs: files, folders and patterns, or texts and documents, or a mixture; an iterator is read once. A str that
            names no file and has no blanks is refused, since it is rather a wrong path than a text.
        out: folder of the graph: new, empty, or with an earlier graph, which is replaced once the new one is complete.
        model: as for `load`, or a loaded model, whose checkpoint is used.
        formats: what is written from the tables, by the names of `factmill export`; `cypher` is needed for `query`.
        min_confidence: leave out edges below it.
        min_precision: cut facts where at least this share of them was right on the documents of the calibration.
        schema: name or file of a relation schema whose rules hold, instead of the model's.
        rules: levels of rules other than in the schema, for example `{"types": "enforce"}`.
        link: link entities without a knowledge-base id to what links, headings or the dictionary name.
        resolve: merge nodes that are one thing under several names.
        dictionary: CSV or Parquet file of aliases.
        format: format of all files; found in their content if absent. Not together with texts and documents.
        columns: which fields of records in files are `id`, `title` and `text`, for example `{"text": "abstract"}`.
        id_prefix: put the name of the `file`, or of the `folder` and the file, before the ids of its documents.
        correlation: how far documents that state one edge depend on each other, from 0 to 1.
        limit: read only this number of documents.
        languages: read only documents in these languages (ISO 639 codes); none means any.
        workers: threads or processes; one per core if absent. The graph is the same for any number.
        runner: `local`, `memory`, `threads`, `processes`, or a Beam runner; a cluster needs files that its workers see.
        beam: options for Beam as on its command line.
        resume: continue what was interrupted in `out`.

    Raises:
        TypeError: an input is of another kind; the message names the remedy.
        BuildError: an input names no file, or the options or the folder cannot be used.
        BuildFailed: the pipeline failed.
        CheckpointError: the model cannot be loaded.
    """
    with unchanged_process(), _files(inputs, format) as files:
        from pipeline.build import BuildOptions
        from pipeline.build import build as build_from_files
        from sinks import find_writer

        options = BuildOptions(
            model=model.name if isinstance(model, Model) else str(model),
            format=format,
            columns=dict(columns or {}),
            id_prefix=id_prefix,
            correlation=correlation,
            beam=tuple(beam),
            workers=workers,
            runner=runner,
            min_confidence=min_confidence,
            min_precision=min_precision,
            limit=limit,
            languages=tuple(languages),
            schema=None if schema is None else str(schema),
            rules=dict(rules or {}),
            link=link,
            dictionary=None if dictionary is None else str(dictionary),
            resolve=resolve,
        )
        writers = [find_writer(name) for name in formats]
        report = build_from_files(files, Path(out), options, writers=writers, resume=resume)
    for text in report.warnings:
        warnings.warn(text, stacklevel=2)
    return open_graph(out)


@contextmanager
def _files(inputs: object, format: str | None) -> Iterator[list[str | Path]]:
    """Give the files of the inputs, with one that holds all texts and documents among them, for the time of a build."""
    if isinstance(inputs, str | Path | Document):
        inputs = [inputs]
    if not isinstance(inputs, Iterable) or isinstance(inputs, bytes | bytearray | Mapping):
        raise TypeError(f"a graph is built from files, texts and documents, not from {described(inputs)}")
    paths: list[str | Path] = []
    with tempfile.TemporaryDirectory(prefix="factmill-") as folder:
        with DocumentFile(Path(folder) / FILE_NAME) as file:
            for index, item in enumerate(inputs):
                if isinstance(item, Path) or (isinstance(item, str) and _is_path(item)):
                    paths.append(item)
                elif isinstance(item, str):
                    file.write(make_document(item))
                elif isinstance(item, Document):
                    file.write(item)
                else:
                    raise TypeError(f"input {index} is neither a path nor a text nor a document, but {described(item)}")
        if file.count and format is not None:
            raise BuildError(f"the format '{format}' is that of files, and texts or documents are given: leave it out")
        yield [*paths, file.path] if file.count else paths


def _is_path(item: str) -> bool:
    """Return whether a str names files, and not a text.

    Raises:
        BuildError: it looks like a path and names no file.
    """
    if len(item) <= _LONGEST_PATH and "\0" not in item:
        # A pattern or path that no system takes names no file.
        with suppress(OSError, ValueError):
            if Path(item).exists() or next(iglob(item, recursive=True), None) is not None:  # noqa: PTH207 - it may be absolute
                return True
    words = item.split()
    ends_like_a_path = item.endswith(("/", "\\")) or _ENDING.search(item)
    if len(words) == 1 or (len(words) <= _WORDS_OF_A_PATH and ends_like_a_path):
        raise BuildError(
            f"no file at '{item}': name files, folders or patterns; a text that looks like a path is passed as "
            f"factmill.make_document(text)"
        )
    return False
