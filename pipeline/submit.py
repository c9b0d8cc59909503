"""Handing the extraction of a build to a runner and leaving, for services that run a job on their own.

Dataflow takes a template as one job, and a build is two pipelines. So the dear one is begun here, and once its job is
done `build` with `resume` finds every shard extracted, and merges.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.beam.run import choose_runner, default_workers, submit
from pipeline.build import check_source
from pipeline.build_options import BuildOptions
from pipeline.build_report import versions
from pipeline.build_run import BuildRun, checkpoint_of
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.input_files import input_files
from pipeline.languages import language_codes
from pipeline.output_folder import STAGING, check_output_folder, locked
from pipeline.plan import Plan, read_plan
from pipeline.store.store import FOLDER


def submit_build(
    inputs: Sequence[str | Path], out: str | Path, options: BuildOptions, source: ExtractorSource | None = None
) -> None:
    """Begin a build, or go on with it where its job ended early; see `build` for the arguments.

    Workers see `inputs` and `out` under the same paths.

    Raises:
        BuildError: the inputs, options or folder cannot be used.
    """
    out = Path(out)
    language_codes(options.languages)
    paths = input_files(inputs, out)
    source = source or checkpoint_of(options)
    check_source(source, paths, options.reading())
    check_output_folder(out)
    watched = [*paths, options.dictionary] if options.dictionary else paths
    plan = Plan.of("build", options, watched, source.identity(), versions())
    with locked(out):
        staging = out / STAGING
        if read_plan(staging / FOLDER) != plan:
            shutil.rmtree(staging, ignore_errors=True)
            (staging / FOLDER).mkdir(parents=True)
            plan.write(staging / FOLDER)
        shutil.rmtree(staging / "tallies", ignore_errors=True)
        runner, beam = choose_runner(options.runner, options.workers or default_workers(), options.beam)
        submit(BuildRun(staging, options).extraction(paths, source, None), runner, beam)
