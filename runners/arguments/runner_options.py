"""Options that all commands share that make a graph of a store: how many work, where, and what Beam is told."""

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
    """Add `--runner` and what goes with single runners to a command."""
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
        "--workers", type=click.IntRange(min=1), metavar="N", help="How many work side by side [one per core]."
    )
    return workers(runner_options(command))


@contextmanager
def execution(
    ctx: click.Context, runner: str | None, workers: int | None, **options: str | None
) -> Iterator[ExecutionOptions]:
    """Yield what `execution_options` say, while what the runner needs is there."""
    with beam_arguments(runner or "local", workers, beam_options(ctx), **options) as beam:
        from pipeline.change import ExecutionOptions

        yield ExecutionOptions(workers, runner or "local", beam)


@contextmanager
def beam_arguments(
    runner: str, workers: int | None, beam: Sequence[str], flink_master: str | None = None, gpu: str | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield what Beam is told for a runner, while what the runner needs is there.

    Raises:
        UserError: options are missing, wrong, or do not go together.
        ServerUnavailable: the runner needs a server that cannot be had.
    """
    for option, value, of in (("--flink-master", flink_master, "flink"), ("--gpu", gpu, "dataflow")):
        if value is not None and runner != of:
            raise UserError(f"{option} goes with --runner {of}, not with --runner {runner}")
    if runner == "processes":
        from pipeline.beam.fork_server import fork_server

        fork_server()  # before all else, so that it loads what workers need while this process does
    if runner == "flink":
        from runners.execution.flink import submission

        with submission(flink_master, workers, beam) as options:
            yield options
    elif runner == "dataflow":
        from runners.execution.dataflow import job_options

        yield job_options(beam, workers, gpu)
    else:
        yield tuple(beam)
