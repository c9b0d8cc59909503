"""Output for terminals: tables of the right width, and text of documents without control characters."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.table import Table

_DIRECTION_MARKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def printable(text: str) -> str:
    """Return the text in one line, with control characters replaced by their escapes (`\\x1b`)."""
    return "".join(map(_shown, text))


def print_table(table: Table, stream: TextIO | None = None) -> None:
    """Print a table in the width of the terminal, or in its own width if the output is not a terminal."""
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
    # Control characters, lone surrogates, and marks of direction, which reorder the text around them.
    steers = unicodedata.category(character) in {"Cc", "Cs"}
    if steers or unicodedata.bidirectional(character) in _DIRECTION_MARKS:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
