"""Submit the extraction of a build to a runner without waiting for it, for services that run a job on their own.

Dataflow takes a template as one job, and a build is two pipelines. The expensive one is submitted here; when its job
has ended, `build` with `resume` finds all shards extracted and merges them.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.beam.run import choose_runner, default_workers, submit
from pipeline.build_options import BuildOptions
from pipeline.build_run import BuildRun
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.output_folder import STAGING, check_output_folder, locked
from pipeline.plan import read_plan
from pipeline.preparation import prepare
from pipeline.store.store import FOLDER


def submit_build(
    inputs: Sequence[str | Path], out: str | Path, options: BuildOptions, source: ExtractorSource | None = None
) -> None:
    """Submit a build, or continue one whose job ended early; see `build` for the arguments.

    Workers see `inputs` and `out` under the same paths.

    Raises:
        BuildError: the inputs, options or folder cannot be used.
    """
    out = Path(out)
    ready = prepare("build", options, inputs, out, source)
    check_output_folder(out)
    with locked(out):
        staging = out / STAGING
        if read_plan(staging / FOLDER) != ready.plan:
            shutil.rmtree(staging, ignore_errors=True)
            (staging / FOLDER).mkdir(parents=True)
            ready.plan.write(staging / FOLDER)
        shutil.rmtree(staging / "tallies", ignore_errors=True)
        runner, beam = choose_runner(options.runner, options.workers or default_workers(), options.beam)
        submit(BuildRun(staging, options).extraction(ready.paths, ready.source, None), runner, beam)
