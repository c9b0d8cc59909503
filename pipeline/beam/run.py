"""Running a pipeline on this machine with Beam's own runner, or on any runner that Beam knows by name."""

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

# Modes of the runner on this machine.
LOCAL_MODES = ("memory", "threads", "processes")
# A Flink cluster, reached by Beam's job server for it.
FLINK = "flink"
# Any other cluster with a job server of Beam that the user starts; this is Beam's name for it.
PORTABLE = "PortableRunner"
# Google's service; its packages are an extra.
DATAFLOW = "dataflow"
# Beam's worker threads flush their output every second from another thread, also while an element is half encoded; an
# element whose coder is written in Python, as ours are, is then cut in two. Output is flushed by size as well, so the
# timer is set to more days than a bundle takes.
_NEVER_MS = 10**9
# The program that a cluster starts on its machines, where it must have the same path as here; a slot is one core.
_WORKER_PROGRAM = Path(sys.executable).parent / "factmill-worker"
_WORKER_THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
# How long a worker waits for the next stage; otherwise every stage would load Python and the model again.
_WORKER_STAYS_MS = 60_000
_SECONDS_BETWEEN_LOOKS = 0.25
# Stages in the order in which they run; a stage has ended when a later one has started.
_STAGES = ("read", "extract", "link", "resolve", "merge", "write")
# Stages whose total is unknown: the number of records in the inputs, and of rows.
_OPEN_ENDED = ("read", "write")


class ProgressListener(Protocol):
    """Receives the progress of a build; called from a thread of the launcher a few times per second."""

    def __call__(
        self, stage: str, done: int, total: int | None = None, dead_letters: int = 0, ended: bool = False
    ) -> None:
        """Receive the number of documents (`write`: rows) that a stage has done, of `total`, and its dead letters."""


class _Options(PipelineOptions):
    """Options that keep their views; Beam takes a view for each step of a pipeline, and parses all options for it."""

    def view_as(self, cls: Any) -> Any:
        """Return the view of that class."""
        views = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


class PipelineDefinition(Protocol):
    """Constructs a pipeline."""

    def construct(self, pipeline: beam.Pipeline) -> None:
        """Add the steps to a pipeline."""


def default_workers() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_runner(
    name: str, workers: int, beam_options: Sequence[str], spill: Path | None = None
) -> tuple[Any, PipelineOptions]:
    """Return the runner of that name (or its name, for Beam to find it) and the options to run with.

    On this machine it is `FnApiRunner` itself, because `DirectRunner` would first try to download another runner, and
    blocks of shuffles are in the folder `spill`, which is created. Options that the user gives to Beam take precedence.

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
        raise BuildError(
            f"Beam's option '--direct_running_mode' is not supported: use --runner {', '.join(LOCAL_MODES)}"
        )
    ours = [f"--direct_num_workers={1 if name == 'memory' else workers}"]
    if spill is not None:
        spill.mkdir()
        ours.append(f"--spill_folder={spill}")
    options = _Options([*ours, *beam_options])
    # The mode would also select an environment, without our settings.
    options.view_as(DirectOptions).direct_running_mode = None
    environment: Environment | None = None
    if name == "threads":
        environment = EmbeddedPythonGrpcEnvironment(data_buffer_time_limit_ms=_NEVER_MS)
    elif name == "processes":
        # The command is not used: the runner starts workers itself.
        return ProcessRunner(SubprocessSDKEnvironment.from_command_string("")), options
    return FnApiRunner(environment), options


def _cluster_options(beam_options: Sequence[str]) -> PipelineOptions:
    given = PipelineOptions(list(beam_options)).view_as(PortableOptions)
    if given.job_endpoint is None:  # Beam would download a job server
        raise BuildError("the job server is missing: give Beam's option --job_endpoint=HOST:PORT")
    ours = [f"--environment_cache_millis={_WORKER_STAYS_MS}"]
    if given.environment_type is not None:
        return _Options([*ours, *beam_options])
    if not _WORKER_PROGRAM.exists():
        raise BuildError(f"there is no '{_WORKER_PROGRAM}' for the cluster to start: install factmill again")
    worker = {"command": str(_WORKER_PROGRAM), "env": _WORKER_THREADS}
    ours += ["--environment_type=PROCESS", f"--environment_config={json.dumps(worker)}"]
    return _Options([*ours, *beam_options])


def threads_per_worker(runner: str, workers: int) -> int:
    """Return the number of threads of each worker's model, so that all workers together use no more than the cores."""
    return max(1, default_workers() // workers) if runner in ("local", *LOCAL_MODES) else 1


def run(flow: PipelineDefinition, runner: Any, options: PipelineOptions) -> None:
    """Run a pipeline to its end.

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
    """Submit a pipeline to a runner without waiting for its end.

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
        raise BuildError(f"Beam has no runner '{runner}' ({error}): use {known}, or one it names") from error


@dataclass
class StageTimes:
    """When the stages of a run started and ended, in seconds since its start, as observed by the launcher."""

    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def seconds(self) -> dict[str, float]:
        """Return the seconds from the first to the last count of each stage."""
        return {stage: round(self.ended[stage] - self.began[stage], 2) for stage in self.ended}


@contextmanager
def report_progress(
    tallies: Path, progress: ProgressListener | None, documents: int | None = None
) -> Iterator[StageTimes]:
    """Report the live counts in the folder `tallies` until the block ends.

    Args:
        tallies: the folder.
        progress: receives them.
        documents: total number for every stage; None if the documents are still to be read.
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
