"""Running a pipeline: on this machine with Beam's own runner, or on any runner that Beam knows by name."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, PortableOptions
from apache_beam.runners.portability.flink_runner import FlinkRunner
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonGrpcEnvironment, Environment, SubprocessSDKEnvironment

from pipeline.beam.live_counts import read_live_counts
from pipeline.beam.worker_processes import ProcessRunner
from pipeline.dead_letters import BuildError, BuildFailed

# Ways to run on this machine.
LOCAL_MODES = ("memory", "threads", "processes")
# A Flink cluster, reached by Beam's job server for it.
FLINK = "flink"
# Any other cluster with a job server of Beam, which the user starts: Beam's own name for it.
PORTABLE = "PortableRunner"
# Google's service; the packages for it are an extra.
DATAFLOW = "dataflow"
# Beam's worker threads send their output every second, from another thread and also when an element is half encoded,
# which cuts the element in two. Coders written in Python, as ours, let that happen. Output is sent when there is
# enough of it anyway, so the clock is set to more days than a bundle takes.
_NEVER_MS = 10**9
# What a cluster starts on its machines, where it must lie at the same path as here. One slot is meant for one core.
_WORKER_PROGRAM = Path(sys.executable).parent / "factmill-worker"
_WORKER_THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
# So long it waits for the next stage of the pipeline. Otherwise every stage would load Python and the model anew.
_WORKER_STAYS_MS = 60_000
_SECONDS_BETWEEN_LOOKS = 0.25
# Stages in the order in which they run; a stage is through when one after it has begun.
_STAGES = ("read", "extract", "link", "resolve", "merge", "write")
# Stages of which nobody knows how much they will be: what inputs hold, and how many rows there are.
_OPEN_ENDED = ("read", "write")


class ProgressListener(Protocol):
    """Hears how far a build is; called from a thread of the launcher a few times per second."""

    def __call__(
        self, stage: str, done: int, total: int | None = None, dead_letters: int = 0, ended: bool = False
    ) -> None:
        """Take note that `stage` has done `done` of `total` documents (`write`: rows), `dead_letters` of them dead."""


class _Options(PipelineOptions):
    """Options of which every view is made once; Beam takes one at each step of a pipeline, and parses all for it."""

    def view_as(self, cls: Any) -> Any:
        """Return the view of that class."""
        views = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


class PipelineDefinition(Protocol):
    """Something that a pipeline can be made of."""

    def construct(self, pipeline: beam.Pipeline) -> None:
        """Add it to a pipeline."""


def default_workers() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_runner(
    name: str, workers: int, beam_options: Sequence[str], spill: Path | None = None
) -> tuple[Any, PipelineOptions]:
    """Return the runner of that name (or its name, for Beam to find it) and the options to run with.

    On this machine it is `FnApiRunner` outright, because `DirectRunner` would first try to download another one, and
    what is shuffled lies in the folder `spill`, which is made. What the user passes to Beam comes last and wins.

    Raises:
        BuildError: the user passes Beam's mode, which would undo ours.
    """
    if name == "local":
        name = "memory" if workers == 1 else "threads"
    if name in (FLINK, PORTABLE):
        return FlinkRunner() if name == FLINK else name, _cluster_options(beam_options)
    if name not in LOCAL_MODES:
        return "DataflowRunner" if name == DATAFLOW else name, _Options(list(beam_options))
    if any(option.startswith("--direct_running_mode") for option in beam_options):
        raise BuildError(f"Beam's option '--direct_running_mode' is not for us: use --runner {', '.join(LOCAL_MODES)}")
    ours = [f"--direct_num_workers={1 if name == 'memory' else workers}"]
    if spill is not None:
        spill.mkdir()
        ours.append(f"--spill_folder={spill}")
    options = _Options([*ours, *beam_options])
    # The mode would choose an environment too, and one without what is said of ours above.
    options.view_as(DirectOptions).direct_running_mode = None
    environment: Environment | None = None
    if name == "threads":
        environment = EmbeddedPythonGrpcEnvironment(data_buffer_time_limit_ms=_NEVER_MS)
    elif name == "processes":
        # The command is not used: the runner has its own way to start workers.
        return ProcessRunner(SubprocessSDKEnvironment.from_command_string("")), options
    return FnApiRunner(environment), options


def _cluster_options(beam_options: Sequence[str]) -> PipelineOptions:
    told = PipelineOptions(list(beam_options)).view_as(PortableOptions)
    if told.job_endpoint is None:  # Beam would download a job server
        raise BuildError("where is the job server? Give Beam's option --job_endpoint=HOST:PORT")
    ours = [f"--environment_cache_millis={_WORKER_STAYS_MS}"]
    if told.environment_type is not None:
        return _Options([*ours, *beam_options])
    if not _WORKER_PROGRAM.exists():
        raise BuildError(f"there is no '{_WORKER_PROGRAM}' for the cluster to start: install factmill anew")
    worker = {"command": str(_WORKER_PROGRAM), "env": _WORKER_THREADS}
    ours += ["--environment_type=PROCESS", f"--environment_config={json.dumps(worker)}"]
    return _Options([*ours, *beam_options])


def threads_per_worker(runner: str, workers: int) -> int:
    """Return how many threads a worker's model may use, so that all of them take no more than the cores."""
    return max(1, default_workers() // workers) if runner in ("local", *LOCAL_MODES) else 1


def run(flow: PipelineDefinition, runner: Any, options: PipelineOptions) -> None:
    """Run a flow to its end.

    Raises:
        BuildError: the runner is unknown.
        BuildFailed: the pipeline failed; the message has the last line of the reason.
    """
    pipeline = _pipeline(runner, options)
    flow.construct(pipeline)
    try:
        state = pipeline.run().wait_until_finish()
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BuildFailed(f"the pipeline failed: {lines[-1].strip()}") from error
    if state not in (None, "DONE"):
        raise BuildFailed(f"the pipeline ended as {state}: see the log of the runner '{runner}'")


def submit(flow: PipelineDefinition, runner: Any, options: PipelineOptions) -> None:
    """Hand a flow to a runner without waiting for its end.

    Raises:
        BuildError: the runner is unknown.
    """
    pipeline = _pipeline(runner, options)
    flow.construct(pipeline)
    pipeline.run()


def _pipeline(runner: Any, options: PipelineOptions) -> beam.Pipeline:
    try:
        return beam.Pipeline(runner=runner, options=options)
    except (ValueError, ImportError) as error:
        known = ", ".join(["local", *LOCAL_MODES, FLINK, DATAFLOW])
        raise BuildError(f"Beam does not take the runner '{runner}' ({error}): use {known}, or one it names") from error


@dataclass
class StageTimes:
    """When the stages of a run began and ended, in seconds since its start, as far as the launcher saw."""

    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def seconds(self) -> dict[str, float]:
        """Return the seconds from the first to the last sign of each stage."""
        return {stage: round(self.ended[stage] - self.began[stage], 2) for stage in self.ended}


@contextmanager
def report_progress(
    tallies: Path, progress: ProgressListener | None, documents: int | None = None
) -> Iterator[StageTimes]:
    """Report the live counts in the folder `tallies` until the block ends.

    Args:
        tallies: the folder.
        progress: who hears them.
        documents: how many there will be for every stage; None where they are yet to be read.
    """
    watch = StageTimes()
    start = monotonic()
    done = threading.Event()

    def look(finished: bool) -> None:
        counts = read_live_counts(tallies)
        now = monotonic() - start
        for index, stage in enumerate(_STAGES):
            if stage not in counts or stage in watch.ended:
                continue
            over = finished or any(later in counts for later in _STAGES[index + 1 :])
            watch.began.setdefault(stage, now)
            if over:
                watch.ended[stage] = now
            if progress is not None:
                number, dead = counts[stage]
                total = counts.get("read", (None, 0))[0] if stage == "extract" else documents
                progress(stage, number, total if stage not in _OPEN_ENDED else None, dead, ended=over)

    def look_often() -> None:
        while not done.wait(_SECONDS_BETWEEN_LOOKS):
            look(finished=False)

    thread = threading.Thread(target=look_often, name="factmill-progress", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
        look(finished=True)
