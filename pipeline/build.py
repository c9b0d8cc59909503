"""`build`: make a folder with tables, an RDF file, a Cypher database and a report from input files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from pipeline.beam.run import ProgressListener
from pipeline.build_options import BuildOptions
from pipeline.build_report import BuildReport
from pipeline.build_run import BuildRun
from pipeline.dead_letters import BuildFailed
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.languages import languages_read
from pipeline.merging.rule_semantics import with_rules
from pipeline.output_folder import check_output_folder, has_result, locked, staging
from pipeline.preparation import prepare
from pipeline.read_documents import read_part, split
from pipeline.reading import Reading
from schemas import DeadLetter, Skipped
from sinks import DEFAULT_FORMATS, WRITERS, GraphWriter

__all__ = ["BuildOptions", "BuildReport", "build"]

_SHOWN = 3  # problems in the message of a build that read nothing
_LOOKED_AT = 100  # files, and records of each part, that are looked at for them


def build(
    inputs: Sequence[str | Path],
    out: str | Path,
    options: BuildOptions | None = None,
    progress: ProgressListener | None = None,
    source: ExtractorSource | None = None,
    writers: Sequence[GraphWriter] | None = None,
    resume: bool = False,
    force: bool = False,
) -> BuildReport:
    """Build a graph from files and return the report, which is also in `out/run.json`.

    Args:
        inputs: files, folders and patterns.
        out: folder of the result; new, empty or with an earlier build, which is replaced when the new one is complete.
        options: see `BuildOptions`.
        progress: receives the progress.
        source: an extractor other than the checkpoint `options.model`.
        writers: writers of files from the tables; None: RDF and the Cypher database.
        resume: continue the build that was interrupted in `out`; start one if there is none, and return its report if
            it is complete.
        force: replace results in `out` that factmill did not write.

    Raises:
        BuildError: the inputs, options or folder cannot be used.
        BuildFailed: the pipeline failed, or records are missing at the end. Errors of the extractor's checkpoint and
            of sinks are not wrapped.
    """
    options, out = options or BuildOptions(), Path(out)
    ready = prepare("build", options, inputs, out, source)
    schema = with_rules(ready.source.relation_schema(), options.schema, options.rules)
    check_output_folder(out, force)
    with locked(out):
        if resume and has_result(out, ready.plan):
            return BuildReport.read(out)
        with staging(out, ready.plan, resume) as folder:
            work = BuildRun(folder, options, progress)
            work.store_dictionary()
            work.ingest(ready.paths, ready.source, None)
            ready.plan.check_inputs()
            check_anything_read(work, ready.paths)
            info = work.complete_store(ready.identity)
            names = [Path(path).name for path in ready.paths]
            chosen = [WRITERS[name] for name in DEFAULT_FORMATS] if writers is None else writers
            return work.make_graph("build", info, 0, names, schema, chosen, languages_read(ready.source))


def check_anything_read(work: BuildRun, paths: Sequence[str]) -> None:
    """Check that the files contained something, and remove the new store if not.

    Raises:
        BuildFailed: they contain no document, redirect or removal; the message has what they contain instead.
    """
    read = {what: number for (stage, what), number in work.entries.items() if stage == "read"}
    if any(read.get(kind) for kind in ("documents", "redirects", "removals")):
        return
    shutil.rmtree(work.shards, ignore_errors=True)
    counts = {"files": len(paths), "dead letters": read.get("dead letters", 0), "skips": read.get("skipped", 0)}
    files, *rest = (f"{n:,} {what if n != 1 else what.removesuffix('s')}" for what, n in counts.items() if n)
    problems = list(islice(_problems(paths, work.options.reading()), _SHOWN))
    causes = f" ({' and '.join(rest)}): {'; '.join(problems)}" if problems else ""
    raise BuildFailed(f"no document was read from {files}{causes}")


def _problems(paths: Sequence[str], reading: Reading) -> Iterator[str]:
    """Yield the problems of the first records of the first files, each reason once."""
    known: set[str] = set()
    for path in paths[:_LOOKED_AT]:
        for part in split(path, reading):
            for item in islice(read_part(part), _LOOKED_AT):
                if isinstance(item, DeadLetter | Skipped) and item.reason not in known:
                    known.add(item.reason)
                    yield item.detail if isinstance(item, DeadLetter) else f"{item.source}: {item.reason}"
