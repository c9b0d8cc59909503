"""What reaches the terminal: tables that fit it, and text of documents that cannot steer it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.table import Table

_DIRECTION_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def printable(text: str) -> str:
    """Return the text in one line, with every character that could steer a terminal shown as its escape (`\\x1b`)."""
    return "".join(map(_shown, text))


def print_table(table: Table, stream: TextIO | None = None) -> None:
    """Print a table as wide as the terminal, or as wide as it needs where the output goes elsewhere."""
    from rich.console import Console

    console = Console(file=stream, highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = max(1, console.measure(table, options=console.options.update_width(1 << 20)).maximum)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), stream)


def _shown(character: str) -> str:
    if character in "\n\t\r":
        return " "
    # Controls, lone surrogates, and marks of direction, which reorder what stands beside them.
    steers = unicodedata.category(character) in {"Cc", "Cs"}
    if steers or unicodedata.bidirectional(character) in _DIRECTION_MARKS:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
