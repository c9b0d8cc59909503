"""`build`: from input files to a folder with tables, an RDF file, a Cypher database and a report."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import msgspec

from pipeline.accounts import Counts, check_balance
from pipeline.extractor_source import Checkpoint, ExtractorSource
from pipeline.failures import BuildError
from pipeline.flow import Flow, read_counts
from pipeline.given_entities import check_given_entities
from pipeline.inputs import input_files
from pipeline.launch import ProgressListener, choose_runner, default_workers, run, watched
from pipeline.output_folder import output_folder
from pipeline.settle import LEFT_OUT
from pipeline.write import write_empty_files
from schemas import TABLES, RelationSchema
from sinks import DEFAULT_FORMATS, WRITERS, GraphTables, GraphWriter

_PACKAGES = ("factmill", "apache-beam", "torch", "tokenizers", "msgspec", "pyarrow", "pyoxigraph", "ladybug")


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a build can be told.

    Attributes:
        model: name or folder of the extractor's checkpoint.
        format: format of the input files; None finds it in the content of each.
        workers: threads or processes that work side by side; None takes one per core. The result is the same.
        runner: `local` (the mode that is fastest for so many workers), `memory`, `threads`, `processes`, or the name
            of a Beam runner.
        min_confidence: edges below are left out, with their evidence; facts from it on are found, also where the
            extractor would cut higher.
        min_precision: the extractor cuts facts so that this share of them is right; not together with min_confidence.
        limit: read only so many documents, the first in the order of the file names.
        batch_cost: word pieces and entity pairs that the model takes at once.
        beam: options for Beam as on its command line.
    """

    model: str = "docred-minilm"
    format: str | None = None
    workers: int | None = None
    runner: str = "local"
    min_confidence: float = 0.0
    min_precision: float | None = None
    limit: int | None = None
    batch_cost: int = 8192
    beam: tuple[str, ...] = ()


class BuildReport(msgspec.Struct, frozen=True):
    """What a build did; this is what `run.json` holds.

    Attributes:
        options: as given.
        extractor: what tells the extractor from others.
        inputs: names of the files that were read.
        counts: records in and out of every stage.
        written: what every sink counted, by the name of its file.
        seconds: time of every stage and sink, and `total`.
        versions: of Python and the packages that matter.
        relation_schema: what the relations of the edges mean, so that the folder stands alone.
    """

    options: BuildOptions
    extractor: dict[str, str]
    inputs: tuple[str, ...]
    counts: Counts
    written: dict[str, dict[str, int]]
    seconds: dict[str, float]
    versions: dict[str, str]
    relation_schema: RelationSchema


def build(
    inputs: Sequence[str | Path],
    out: str | Path,
    options: BuildOptions | None = None,
    progress: ProgressListener | None = None,
    source: ExtractorSource | None = None,
    writers: Sequence[GraphWriter] | None = None,
) -> BuildReport:
    """Build a graph from files and return the report that also lies in `out/run.json`.

    Args:
        inputs: files, folders and patterns.
        out: folder of the result; new, empty or with an earlier build, which is replaced once the new one is complete.
        options: see `BuildOptions`.
        progress: hears how far it is.
        source: an extractor other than the checkpoint `options.model`.
        writers: what is made of the tables; None: RDF and the Cypher database.

    Raises:
        BuildError: the inputs, options or folder cannot be used.
        BuildFailed: the pipeline failed, or records are missing at the end. Errors of the extractor's checkpoint and
            of sinks come as they are.
    """
    options = options or BuildOptions()
    if options.min_confidence and options.min_precision is not None:
        raise BuildError("a cut follows from min_confidence or from min_precision: give one of them")
    out = Path(out)
    start = time.monotonic()
    paths = input_files(inputs, out)
    workers = options.workers or default_workers()
    runner, beam_options = choose_runner(options.runner, workers, options.beam)
    source = source or Checkpoint(
        options.model,
        threads=max(1, default_workers() // workers),
        min_confidence=options.min_confidence or None,
        min_precision=options.min_precision,
    )
    identity, schema = source.identity(), source.relation_schema()
    source.preparer()  # a checkpoint that does not load stops here, before any work
    if not source.finds_entities():
        check_given_entities(paths, options.format, identity["model"])
    with output_folder(out) as staging:
        tallies = staging / "tallies"
        tallies.mkdir()
        (staging / "tables").mkdir()
        flow = Flow(
            paths=paths,
            format=options.format,
            limit=options.limit,
            source=source,
            batch_cost=options.batch_cost,
            min_confidence=options.min_confidence,
            folder=str(staging.resolve()),
            tallies=str(tallies.resolve()),
        )
        with watched(tallies, progress) as watch:
            run(flow, runner, beam_options)
        counts = read_counts(staging)
        write_empty_files(staging / "tables", counts.rows)
        tables = GraphTables.open(staging)
        check_balance(counts, {name: tables.count(name) for name in TABLES}, LEFT_OUT)
        seconds = watch.seconds()
        written: dict[str, dict[str, int]] = {}
        for writer in [WRITERS[name] for name in DEFAULT_FORMATS] if writers is None else writers:
            began = time.monotonic()
            if progress is not None:
                progress(writer.file, 0)
            written[writer.file] = writer.write(tables, staging / writer.file, schema)
            seconds[writer.file] = round(time.monotonic() - began, 2)
            if progress is not None:
                progress(writer.file, tables.count("edges"), ended=True)
        seconds["total"] = round(time.monotonic() - start, 2)
        report = BuildReport(
            options=options,
            extractor=identity,
            inputs=tuple(Path(path).name for path in paths),
            counts=counts,
            written=written,
            seconds=seconds,
            versions=versions(),
            relation_schema=schema,
        )
        (staging / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    return report


def versions() -> dict[str, str]:
    """Return the versions of Python, factmill and the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
