"""Options of the commands that run a pipeline: number of workers, runner, options for Beam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import beam_options
from runners.errors import UserError

if TYPE_CHECKING:
    from pipeline.change import ExecutionOptions


def runner_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--runner`, and the options of individual runners, to a command."""
    runner = click.option(
        "--runner", metavar="NAME", help="local, memory, threads, processes, flink, dataflow, or one of Beam's [local]."
    )
    flink = click.option(
        "--flink-master", metavar="HOST:PORT", help="Flink's REST API; [local] runs it inside the job server."
    )
    gpu = click.option("--gpu", metavar="TYPE", help="Dataflow: extract on machines with one GPU, e.g. nvidia-l4.")
    return runner(flink(gpu(command)))


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--workers` and the options of runners to a command."""
    workers = click.option(
        "--workers", type=click.IntRange(min=1), metavar="N", help="Number of workers [one per core]."
    )
    return workers(runner_options(command))


@contextmanager
def execution(
    ctx: click.Context, runner: str | None, workers: int | None, **options: str | None
) -> Iterator[ExecutionOptions]:
    """Yield where and with how many workers to run, with the services that the runner needs running."""
    with beam_arguments(runner or "local", workers, beam_options(ctx), **options) as beam:
        from pipeline.change import ExecutionOptions

        yield ExecutionOptions(workers, runner or "local", beam)


@contextmanager
def beam_arguments(
    runner: str, workers: int | None, beam: Sequence[str], flink_master: str | None = None, gpu: str | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the options for Beam of a runner, with the services that the runner needs running.

    Raises:
        UserError: options are missing, wrong, or do not go together.
        ServerUnavailable: the runner needs a server that cannot be started.
    """
    for option, value, of in (("--flink-master", flink_master, "flink"), ("--gpu", gpu, "dataflow")):
        if value is not None and runner != of:
            raise UserError(f"{option} goes with --runner {of}, not with --runner {runner}")
    if runner == "processes":
        from pipeline.beam.fork_server import fork_server

        fork_server()  # first, so that it imports the workers' modules while this process does other work
    if runner == "flink":
        from runners.execution.flink import submission

        with submission(flink_master, workers, beam) as options:
            yield options
    elif runner == "dataflow":
        from runners.execution.dataflow import job_options

        yield job_options(beam, workers, gpu)
    else:
        yield tuple(beam)
