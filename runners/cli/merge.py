"""`factmill merge`: merge two graphs into one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runners.arguments.command import CommandWithBeamOptions, when_interrupted
from runners.arguments.runner_options import execution, execution_options


@click.command(
    cls=CommandWithBeamOptions,
    short_help="Merge two graphs into one.",
    options_metavar="[OPTIONS]",
    epilog="Options after -- go to Apache Beam.",
)
@click.argument("first", metavar="DIR1")
@click.argument("second", metavar="DIR2")
@click.option(
    "--out", required=True, metavar="DIR", help="Folder of the result: new, empty, or an earlier build to replace."
)
@click.option("--force", is_flag=True, help="Replace results in --out that factmill did not write.")
@execution_options
@click.pass_context
def merge(ctx: click.Context, /, first: str, second: str, out: str, force: bool, **where: Any) -> None:
    """Merge the graphs in DIR1 and DIR2, which must have been built by the same extractor with the same options.

    Nothing is extracted again. If both graphs have a document, its newer version counts; documents that were withdrawn
    from one graph are removed. The result has the same bytes as one build of all files, in either order of the graphs.

    \b
    Examples:
      factmill merge wiki-a wiki-b --out wiki
      factmill merge monday tuesday --out both --workers 8
    """
    from pipeline.change import merge as merge_graphs
    from runners.display.build_summary import print_summary
    from runners.display.progress import progress_on

    when_interrupted(ctx, lambda: f"Stopped. '{out}' is as it was before; run the same command again.")
    with execution(ctx, **where) as there, progress_on() as progress:
        report = merge_graphs(first, second, out, there, progress, force=force)
    print_summary(report, Path(out))
