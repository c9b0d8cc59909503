"""`factmill update`: add, replace and withdraw documents of a graph."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from runners.arguments.command import CommandWithBeamOptions, when_interrupted
from runners.arguments.kept_extractions import kept_message
from runners.arguments.reading_options import reading_options
from runners.arguments.runner_options import execution, execution_options
from runners.errors import Failure


@click.command(
    cls=CommandWithBeamOptions,
    short_help="Add, replace and withdraw documents of a graph.",
    options_metavar="[OPTIONS]",
    epilog="Options after -- go to Apache Beam.",
)
@click.argument("graph", metavar="DIR")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--model", metavar="NAME|DIR|ID", help="The extractor of the graph, if it was moved.")
@reading_options
@click.option("--resume", is_flag=True, help="Continue this update after an interruption.")
@execution_options
@click.pass_context
def update(
    ctx: click.Context,
    /,
    graph: str,
    inputs: tuple[str, ...],
    model: str | None,
    format: str | None,
    columns: dict[str, str] | None,
    id_prefix: str | None,
    resume: bool,
    **where: Any,
) -> None:
    """Take more files into the graph in DIR, without extracting again what it has.

    New documents are added. A document whose id is there takes the place of the earlier one, unless that has a higher
    version. What a file withdraws (PubMed: DeleteCitation) goes, and does not come back. The result is what a build of
    the final documents would give, to the byte; until it is complete the graph stays as it was. Fields and prefixes of
    ids are those of the graph, unless they are given.

    \b
    Examples:
      factmill update graph new-articles/
      factmill update graph pubmed26n1400.xml.gz pubmed26n1401.xml.gz     # daily files, in their order
      factmill update graph notes/ --resume                               # after a crash, or kill -9
      factmill update graph notes/ --model /models/mine                   # the extractor was moved
    """
    from pipeline.change import update as update_graph
    from pipeline.reading import Reading
    from runners.display.build_summary import print_summary
    from runners.display.progress import progress_on

    when_interrupted(ctx, partial(kept_message, Path(graph), ["factmill", "update", graph, *inputs, "--resume"]))
    with execution(ctx, **where) as there, progress_on() as progress:
        reading = Reading(format, columns or {}, id_prefix)
        report = update_graph(graph, inputs, there, model, reading, progress, resume=resume)
    print_summary(report, Path(graph))
    read = report.counts.read
    if read and not any(read.get(kind) for kind in ("documents", "redirects", "removals")):
        raise Failure(f"nothing was read that changes the graph; 'factmill info {graph}' has the reasons")
