"""The `factmill` command: one subcommand per module, nothing heavy imported before it is needed."""

from __future__ import annotations

import logging
from typing import Any

import click

from pipeline.beam.memory import set_memory_policy
from runners.arguments.command import interruption_message
from runners.cli.build import build
from runners.cli.calibrate import calibrate
from runners.cli.check import check
from runners.cli.evaluate import evaluate
from runners.cli.evaluate_graph import evaluate_graph
from runners.cli.export import export
from runners.cli.fit import fit
from runners.cli.info import info
from runners.cli.merge import merge
from runners.cli.query import query
from runners.cli.remove import remove
from runners.cli.serve import serve
from runners.cli.show import show
from runners.cli.sparql import sparql
from runners.cli.train import train
from runners.cli.update import update
from runners.execution.interruption import Interruption, handling_signals
from runners.execution.process_settings import set_thread_waiting


class Program(click.Group):
    """The group of all commands; ends them in good order on SIGINT and SIGTERM."""

    _interruption: Interruption

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command with our handlers for signals."""
        with handling_signals() as self._interruption:
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; if a signal interrupted it, say what was kept and leave with the status of the signal."""
        self._interruption.message = lambda: interruption_message(ctx)
        try:
            return super().invoke(ctx)
        except BaseException as error:
            if self._interruption.signal is not None:
                self._interruption.leave()
            if isinstance(error, KeyboardInterrupt):
                click.echo(interruption_message(ctx), err=True)
                ctx.exit(self._interruption.status)
            raise


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="factmill", prog_name="factmill")
def main() -> None:
    """Turn a corpus into a knowledge graph, and query it.

    \b
    Build a graph from your own texts, and query it:
      factmill build articles/ --out graph
      factmill query graph 'MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name, r.confidence LIMIT 10'
      factmill show graph 'Ada Lovelace'

    Every command has --help with examples.
    """
    set_memory_policy()
    set_thread_waiting()
    # Beam warns, from its import on, of what a user cannot change; what matters to users is in the summary.
    logging.basicConfig(level=logging.ERROR)


_CHANGE = (build, update, remove, merge)
_ASK = (query, sparql, show, info, export, serve, check)
_LEARN = (train, evaluate, evaluate_graph, calibrate, fit)
for _command in (*_CHANGE, *_ASK, *_LEARN):
    main.add_command(_command)


if __name__ == "__main__":
    main()
