"""`build`: from input files to a folder with tables, an RDF file, a Cypher database and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.beam.run import ProgressListener, choose_runner, default_workers
from pipeline.build_options import BuildOptions
from pipeline.build_report import BuildReport, versions
from pipeline.build_run import BuildRun, checkpoint_of
from pipeline.dead_letters import BuildError
from pipeline.extraction.entity_check import check_given_entities
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.input_files import input_files
from pipeline.merging.rule_semantics import with_rules
from pipeline.output_folder import check_output_folder, has_result, locked, staging
from pipeline.plan import Plan
from sinks import DEFAULT_FORMATS, WRITERS, GraphWriter

__all__ = ["BuildOptions", "BuildReport", "build"]


def build(
    inputs: Sequence[str | Path],
    out: str | Path,
    options: BuildOptions | None = None,
    progress: ProgressListener | None = None,
    source: ExtractorSource | None = None,
    writers: Sequence[GraphWriter] | None = None,
    resume: bool = False,
) -> BuildReport:
    """Build a graph from files and return the report that also lies in `out/run.json`.

    Args:
        inputs: files, folders and patterns.
        out: folder of the result; new, empty or with an earlier build, which is replaced once the new one is complete.
        options: see `BuildOptions`.
        progress: hears how far it is.
        source: an extractor other than the checkpoint `options.model`.
        writers: what is made of the tables; None: RDF and the Cypher database.
        resume: continue what was interrupted in `out`; begin where nothing was, and return what is there if it is
            complete already.

    Raises:
        BuildError: the inputs, options or folder cannot be used.
        BuildFailed: the pipeline failed, or records are missing at the end. Errors of the extractor's checkpoint and
            of sinks come as they are.
    """
    options = options or BuildOptions()
    if options.min_confidence and options.min_precision is not None:
        raise BuildError("a cut follows from min_confidence or from min_precision: give one of them")
    out = Path(out)
    paths = input_files(inputs, out)
    choose_runner(options.runner, options.workers or default_workers(), options.beam)
    source = source or checkpoint_of(options)
    identity, schema = source.identity(), with_rules(source.relation_schema(), options.schema, options.rules)
    check_source(source, paths, options.format)
    check_output_folder(out)
    watched = [*paths, options.dictionary] if options.dictionary else paths
    plan = Plan.of("build", options, watched, identity, versions())
    with locked(out):
        if resume and has_result(out, plan):
            return BuildReport.read(out)
        with staging(out, plan, resume) as folder:
            work = BuildRun(folder, options, progress)
            work.store_dictionary()
            work.ingest(paths, source, None)
            plan.check_inputs()
            info = work.complete_store(identity)
            names = [Path(path).name for path in paths]
            chosen = [WRITERS[name] for name in DEFAULT_FORMATS] if writers is None else writers
            return work.make_graph("build", info, 0, names, schema, chosen)


def check_source(source: ExtractorSource, paths: Sequence[str], format: str | None) -> None:
    """Check that an extractor loads and can work on what is in some files, before any work.

    Raises:
        BuildError: it only relates given entities, and no document has any. Errors of its checkpoint come as they are.
    """
    source.preparer()
    if not source.finds_entities():
        check_given_entities(paths, format, source.identity()["model"])
