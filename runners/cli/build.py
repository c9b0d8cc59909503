"""`factmill build`: build a knowledge graph from files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from runners.arguments.build_config import BuildConfig, default_config_text, load_config, make_config, override
from runners.arguments.command import CommandWithBeamOptions, beam_options, when_interrupted
from runners.arguments.kept_extractions import kept_message
from runners.arguments.reading_options import reading_options
from runners.arguments.runner_options import beam_arguments, runner_options
from runners.arguments.value_types import SHARE
from runners.errors import UserError

# Options that may change when a build is continued.
_OF_THE_MACHINE = {"workers", "runner", "beam", "batch_cost"}


def _print_config(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(default_config_text(), nl=False)
        ctx.exit()


def _levels(ctx: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    from schemas import RuleError, parse_levels

    try:
        return parse_levels(value)
    except RuleError as error:
        raise click.BadParameter(str(error), ctx, parameter) from None


def _codes(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (code.strip() for code in (value or "").split(","))))


@click.command(
    cls=CommandWithBeamOptions,
    short_help="Build a knowledge graph from files.",
    options_metavar="[OPTIONS]",
    epilog="Options after -- go to Apache Beam.",
)
@click.argument("inputs", metavar="INPUT...", nargs=-1)
@click.option("--out", metavar="DIR", help="Output folder: new, empty, or an earlier build, which is replaced.")
@click.option(
    "--model", metavar="NAME|DIR|ID", help="Extractor: a shipped one (see factmill info), a folder, a hub model."
)
@reading_options
@click.option("--workers", type=int, metavar="N", help="Number of workers [one per core].")
@click.option("--min-confidence", type=SHARE, metavar="P", help="Leave out edges below this confidence, 0 to 1.")
@click.option("--min-precision", type=SHARE, metavar="P", help="Choose thresholds for this precision, 0 to 1.")
@click.option("--schema", metavar="NAME|FILE", help="Relation schema whose rules hold [the extractor's].")
@click.option("--rules", callback=_levels, metavar="RULE=LEVEL,...", help="Levels of rules: docs/explanation/rules.md.")
@click.option("--correlation", type=SHARE, metavar="R", help="Dependence between documents, 0 to 1 [0].")
@click.option("--link/--no-link", default=None, help="Link entities that have no knowledge-base id [yes].")
@click.option("--resolve/--no-resolve", default=None, help="Merge nodes that denote the same entity [yes].")
@click.option("--dictionary", metavar="FILE", help="CSV or Parquet file: alias, id, type, prior.")
@click.option("--limit", type=int, metavar="N", help="Read only the first N documents.")
@click.option("--languages", callback=_codes, metavar="CODE,...", help="Read only documents in these, such as en,de.")
@runner_options
@click.option("--resume", is_flag=True, help="Continue the interrupted build in --out.")
@click.option("--force", is_flag=True, help="Replace results in --out that factmill did not write.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Read options from a YAML file.")
@click.option(
    "--print-config",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_config,
    help="Print a commented YAML file of all options.",
)
@click.pass_context
def build(
    ctx: click.Context, /, config: Path | None, inputs: tuple[str, ...], resume: bool, force: bool, **options: Any
) -> None:
    """Build a knowledge graph from files, folders and patterns.

    Reads MediaWiki dumps, MEDLINE/PubMed XML, PubTator, DocRED JSON, JSON Lines, CSV, Parquet, HTML and plain text,
    packed or not, and finds the format of each file in its content. What cannot be read becomes a row of the table
    dead_letters. Links to files are followed. A build that reads no document fails.

    \b
    Examples:
      factmill build examples/encyclopedia.xml --out graph
      factmill build enwiki-*.xml.bz2 --out wiki --limit 500           # a first look
      factmill build abstracts/ --out drugs --model cdr-minilm         # chemicals and diseases
      factmill build notes/ --out notes-graph --min-confidence 0.8
      factmill build notes/ --out likely --min-precision 0.9           # fewer facts, nine of ten correct
      factmill build notes/ --out strict --rules types=enforce         # edges of expected types only
      factmill build trials/ --out trials-graph --dictionary drugs.csv  # names of your own
      factmill build papers.csv --out papers --columns id=pmid,text=abstract
      factmill build a.jsonl b.jsonl --out both --id-prefix file       # both count their records from 0
      factmill build --print-config > my.yaml                          # every option, explained
      factmill build --config my.yaml --workers 4                      # the command line overrides the file
      factmill build --out wiki --resume                               # after a crash, or kill -9
      factmill build dump.xml --out /shared/graph --runner flink --flink-master localhost:8081
    """
    given = override(
        load_config(config) if config else {}, {"inputs": inputs, **options, "beam": tuple(beam_options(ctx))}
    )
    settings = make_config(given)
    if resume and settings.out and not settings.inputs:
        settings = make_config(override(_as_begun(Path(settings.out)), given))
    if not settings.inputs:
        raise UserError("nothing to read: name files, folders or patterns, for example 'factmill build articles/ ...'")
    if not settings.out:
        raise UserError("the output folder is missing: add --out DIR")
    again = ["factmill", "build", "--out", settings.out, "--resume"]
    if settings.runner != "local":
        again += ["--runner", settings.runner]
    when_interrupted(ctx, partial(kept_message, Path(settings.out), again))
    _run(settings, Path(settings.out), resume, force)


def _as_begun(out: Path) -> dict[str, Any]:
    """Return the files and options of the build that was interrupted in a folder."""
    from pipeline.output_folder import interrupted_plan

    plan = interrupted_plan(out)
    if plan is None or plan.command != "build":
        raise UserError(f"no build was interrupted in '{out}': name the files to read")
    dictionary = plan.options.dictionary and str(Path(plan.options.dictionary).resolve())
    inputs = tuple(file.path for file in plan.files if file.path != dictionary)
    options = msgspec.structs.asdict(plan.options)
    return {"inputs": inputs, **{name: value for name, value in options.items() if name not in _OF_THE_MACHINE}}


def _run(settings: BuildConfig, out: Path, resume: bool, force: bool) -> None:
    from runners.display.build_summary import print_summary
    from runners.display.progress import progress_on

    with (
        beam_arguments(settings.runner, settings.workers, settings.beam, settings.flink_master, settings.gpu) as beam,
        progress_on() as progress,
    ):
        from pipeline.build import BuildOptions
        from pipeline.build import build as build_graph

        options = BuildOptions(**{name: getattr(settings, name) for name in BuildOptions.__struct_fields__})
        options = msgspec.structs.replace(options, beam=beam)
        report = build_graph(settings.inputs, out, options, progress, resume=resume, force=force)
    print_summary(report, out)
