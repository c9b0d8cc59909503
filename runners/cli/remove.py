"""`factmill remove`: remove documents from a graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

import click

from runners.arguments.command import CommandWithBeamOptions, when_interrupted
from runners.arguments.runner_options import execution, execution_options
from runners.errors import UserError


@click.command(
    cls=CommandWithBeamOptions,
    short_help="Remove documents from a graph.",
    options_metavar="[OPTIONS]",
    epilog="Options after -- go to Apache Beam.",
)
@click.argument("graph", metavar="DIR")
@click.option(
    "--documents",
    type=click.File(encoding="utf-8"),
    required=True,
    metavar="FILE",
    help="File of document ids, one per line; - for standard input.",
)
@execution_options
@click.pass_context
def remove(ctx: click.Context, /, graph: str, documents: TextIO, **where: Any) -> None:
    """Take documents out of the graph in DIR, with all that only they say and the dead letters about them.

    The result is what a build without them would give, to the byte; nothing of their text is left. Ids that the graph
    has nothing of are passed over. A later update may bring the documents back.

    \b
    Examples:
      factmill remove graph --documents ids.txt
      echo 'pubmed:17942999' | factmill remove graph --documents -
      factmill query graph "MATCH ()-[r]->() UNWIND r.documents AS d RETURN DISTINCT d"      # ids, to choose from
    """
    try:
        ids = {line.strip() for line in documents} - {""}
    except UnicodeDecodeError:
        raise UserError(f"'{documents.name}' is not UTF-8: give one id per line") from None
    if not ids:
        raise UserError(f"no id in '{documents.name}': give one id per line, for example wiki:Ada Lovelace")
    from pipeline.change import remove as remove_documents
    from runners.display.build_summary import print_summary
    from runners.display.progress import progress_on

    when_interrupted(ctx, lambda: f"Stopped. '{graph}' is as it was before; run the same command again.")
    with execution(ctx, **where) as there, progress_on() as progress:
        report = remove_documents(graph, ids, there, progress)
    print_summary(report, Path(graph))
