"""`factmill query`: query a graph in Cypher."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.arguments.query_limits import limit_options, naming_limits, query_limits
from runners.display.quantities import counted
from runners.display.terminal import print_table, printable
from runners.errors import UserError

if TYPE_CHECKING:
    from sinks.questions.cypher import QueryResult

_MOST_TRIED = 4  # numbers of which every selection is tried as texts


@click.command(cls=Command, short_help="Query a graph in Cypher.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("cypher", metavar="CYPHER")
@click.option("--param", "parameters", multiple=True, metavar="NAME[:TYPE]=VALUE", help="Value of $NAME in the query.")
@click.option("--json", "style", flag_value="json", help="Print a JSON list with one object per row.")
@click.option("--csv", "style", flag_value="csv", help="Print CSV with a header line.")
@limit_options(default_memory=2048)
def query(folder: Path, cypher: str, parameters: tuple[str, ...], style: str | None, **limits: Any) -> None:
    """Query a graph in Cypher; DIR is the output folder of 'factmill build'.

    Nodes have a label for their type (PER, ORG, Chemical, ...) and id, name, type, aliases, kb_ids, support, mentions.
    Relationships have a type for their relation (PLACE_OF_BIRTH, ...) and confidence, support, documents, evidence.
    Values given with --param may be JSON; anything else is a text. A number stands for a text where the query needs
    one; NAME:string=1934 (or int, float, bool, json) says which it is.

    \b
    Examples:
      factmill query graph 'MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name, r.confidence LIMIT 10'
      factmill query graph 'MATCH (p:PER)-[:PLACE_OF_BIRTH]->(c) RETURN c.name, count(*) AS born ORDER BY born DESC'
      factmill query graph 'MATCH (a)-[r]->(b) WHERE a.name = $name RETURN r.evidence' --param name='Ada Lovelace'
      factmill query graph 'MATCH (a)-[r]->(b) WHERE r.confidence > 0.9 RETURN a.name, b.name' --csv > likely.csv
    """
    from sinks.questions.cypher import query as ask

    with naming_limits():
        result = _ask_with_fitting_types(partial(ask, folder, cypher, limits=query_limits(**limits)), parameters)
    if style == "json":
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([_flat(value) for value in row] for row in result.rows)
    else:
        _print_rows(result)


def parse_parameter(given: str) -> tuple[str, Any]:
    """Return name and value of `NAME=VALUE` or `NAME:TYPE=VALUE`.

    Without a type a value that is JSON is taken as such, and anything else as text.

    Raises:
        UserError: there is no `=`, no name before it, no such type, or the value is none of the type.
    """
    name, type, text = _split_parameter(given)
    if type:
        if type not in _TYPES:
            raise UserError(f"--param {name}: there is no type '{type}': use one of {', '.join(_TYPES)}")
        try:
            return name, _TYPES[type](text)
        except ValueError:
            raise UserError(f"--param {name}: '{text}' is no {type}") from None
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def _split_parameter(given: str) -> tuple[str, str, str]:
    before, equals, text = given.partition("=")
    name, _, type = before.removeprefix("$").partition(":")
    if not equals or not name.isidentifier():
        raise UserError(f"--param takes NAME=VALUE, for example --param name='Ada Lovelace', not '{given}'")
    return name, type, text


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


_TYPES: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int": int,
    "float": float,
    "bool": _bool,
    "json": json.loads,
}


def _ask_with_fitting_types(ask: Callable[[dict[str, Any]], QueryResult], given: Sequence[str]) -> QueryResult:
    """Return the answer of a query whose parameters have the types that it needs.

    Only the query knows whether `1934` is compared with a number or with a name, so numbers are tried first, and then
    as texts. The error is that of the numbers.
    """
    from sinks.questions.query_limits import QueryError

    values = dict(map(parse_parameter, given))
    try:
        return ask(values)
    except QueryError:
        texts = {name: text for name, type, text in map(_split_parameter, given) if not type}
        texts = {name: text for name, text in texts.items() if isinstance(values[name], int | float)}
        for chosen in _choices(sorted(texts)):
            try:
                return ask(values | {name: texts[name] for name in chosen})
            except QueryError:
                continue
        raise


def _choices(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield which of a few parameters to take as texts: one of them, then more; of many, all."""
    if len(names) > _MOST_TRIED:
        yield tuple(names)
        return
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def _print_rows(result: QueryResult) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(result.columns):
        numbers = bool(result.rows) and all(isinstance(row[position], int | float) for row in result.rows)
        table.add_column(Text(printable(column)), justify="right" if numbers else "left", overflow="fold")
    for row in result.rows:
        short = (round(value, 6) if isinstance(value, float) else _flat(value) for value in row)
        table.add_row(*(Text(printable(str(value))) for value in short))
    print_table(table)
    click.echo(counted(len(result.rows), "row"))


def _flat(value: Any) -> Any:
    """Return a value for one cell: lists and objects as JSON, nothing for null."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
