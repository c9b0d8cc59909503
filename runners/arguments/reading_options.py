"""Options of commands that read source files: their format, the fields of their records, and prefixes of ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from runners.arguments.value_types import FORMAT
from runners.errors import UserError

Decorated = Callable[..., Any]


def reading_options(command: Decorated) -> Decorated:
    """Add `--format`, `--columns` and `--id-prefix` to a command."""
    options = (
        click.option("--format", type=FORMAT, metavar="FORMAT", help="Format of all files [found in their content]."),
        click.option(
            "--columns",
            metavar="ROLE=FIELD,...",
            callback=_columns,
            help="Fields of records by role: id=pmid,text=abstract.",
        ),
        click.option(
            "--id-prefix",
            type=click.Choice(["file", "folder"]),
            help="Put the name of the file, or its path, before ids, so that they differ.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _columns(ctx: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, str] | None:
    return None if value is None else parse_columns(value)


def parse_columns(text: str) -> dict[str, str]:
    """Return the fields of records by role, as `--columns` writes them.

    Raises:
        UserError: the text is no such list, or names a role twice.
    """
    columns: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        role, equals, field = (part.strip() for part in item.partition("="))
        if not (role and equals and field):
            raise UserError(f"--columns takes ROLE=FIELD,..., for example id=pmid,text=abstract, not '{item}'")
        if role in columns:
            raise UserError(f"--columns names the role '{role}' twice: '{columns[role]}' and '{field}'")
        columns[role] = field
    return columns
