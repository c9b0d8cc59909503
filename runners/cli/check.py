"""`factmill check`: check the integrity of a graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.display.terminal import printable
from runners.errors import Failure

if TYPE_CHECKING:
    from sinks.tables.rule_checks import BrokenRule

_VIOLATIONS_SHOWN = 20
_BROKEN_SHOWN = 5


@click.command(cls=Command, short_help="Check the integrity of a graph.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--shapes",
    type=click.IntRange(min=0),
    default=5_000,
    show_default=True,
    metavar="N",
    help="Validate the RDF of N edges and their nodes; 0: none.",
)
@click.option("--all", "everything", is_flag=True, help="Validate the RDF of all edges; about 1 ms each.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(folder: Path, shapes: int, everything: bool, as_json: bool) -> None:
    """Check the integrity of a graph; DIR is the output folder of 'factmill build'.

    In the tables, ids must be unique and resolve, the id of an edge must follow from its ends, confidences must be
    probabilities, every evidence sentence must be at its offsets in its document, and the numbers of rows must equal
    those of run.json. The other files must hold the same numbers of nodes and edges. The RDF must conform to the SHACL
    shapes of schemas/rdf/shapes.ttl. The exit status is 1 if a check fails.

    Edges that break a rule of the relation schema (docs/explanation/rules.md) are listed as well; they count as
    failures only if the rule is enforced.

    \b
    Examples:
      factmill check graph
      factmill check graph --all       # every edge against the shapes
      factmill check graph --shapes 0  # the tables only
    """
    from pipeline.build_report import BuildReport
    from sinks import GraphTables
    from sinks.rdf.shapes import violations
    from sinks.tables.rule_checks import broken_rules
    from sinks.tables.table_checks import Problem, check_tables

    report = BuildReport.read(folder)
    schema = report.relation_schema
    tables = GraphTables.open(folder)
    problems = check_tables(tables, schema, report.counts.rows)
    counts = {name: tables.count(name) for name in ("nodes", "edges")}
    for file, wrong in _miscounted(report.written, counts):
        problems.append(Problem(file, "holds all nodes and edges", 1, wrong))
    broken = [] if shapes == 0 and not everything else list(violations(tables, schema, None if everything else shapes))
    against = list(broken_rules(tables, schema))
    enforced = sum(item.level == "enforce" for item in against)
    if as_json:
        found = {
            "tables": [asdict(problem) for problem in problems],
            "shapes": [asdict(item) for item in broken],
            "rules": [asdict(item) for item in against],
        }
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(
                printable(
                    f"{problem.table}: not always true: {problem.rule}: {problem.rows:,} times, for example "
                    f"{problem.example}"
                )
            )
        for item in broken[:_VIOLATIONS_SHOWN]:
            click.echo(printable(f"{item.focus} {item.path}: {item.message}"))
        if len(broken) > _VIOLATIONS_SHOWN:
            click.echo(f"... and {len(broken) - _VIOLATIONS_SHOWN:,} more; --json shows them")
    if problems or broken or enforced:
        if not as_json:
            _tell_rules(against)
        number = len(problems) + len(broken) + enforced
        raise Failure(f"{number:,} things are wrong in '{folder}': build the graph again")
    if not as_json:
        validated = counts["edges"] if everything else min(shapes, counts["edges"])
        click.echo(
            f"sound: {counts['nodes']:,} nodes, {counts['edges']:,} edges; {validated:,} edges validated against the "
            f"shapes"
        )
        _tell_rules(against)


def _tell_rules(broken: Sequence[BrokenRule]) -> None:
    """Print for every rule how many edges break it, and the first of them."""
    for rule, level in sorted({(item.rule, item.level) for item in broken}):
        edges = [item for item in broken if item.rule == rule]
        click.echo(f"rule {rule} ({level}): {len(edges):,} edges break it")
        for item in edges[:_BROKEN_SHOWN]:
            click.echo(f"  {printable(item.message)}")


def _miscounted(written: Mapping[str, Any], counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the files of which the build counted other numbers than the tables have."""
    for file, held in written.items():
        for what, count in counts.items():
            if held.get(what, count) != count:
                yield file, f"{held[what]:,} of {count:,} {what}"
