"""Options that all commands share that make a graph of a store: how many work, where, and what Beam is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from runners.command import beam_options

if TYPE_CHECKING:
    from pipeline.change import Machine


def machine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--workers` and `--runner` to a command."""
    workers = click.option(
        "--workers", type=click.IntRange(min=1), metavar="N", help="How many work side by side [one per core]."
    )
    runner = click.option(
        "--runner", default="local", metavar="NAME", help="local, memory, threads, processes, or a Beam runner [local]."
    )
    return workers(runner(command))


def machine(ctx: click.Context, workers: int | None, runner: str) -> Machine:
    """Return what those options say."""
    # Beam warns, from its import on, of what a user cannot change; what matters to users is in the summary.
    logging.basicConfig(level=logging.ERROR)

    from pipeline.change import Machine

    return Machine(workers, runner, tuple(beam_options(ctx)))
