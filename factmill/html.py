"""Results as HTML for notebooks: every text is escaped, and nothing is loaded from anywhere."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

ROWS = 20
_MARK = "padding:0 .2em;border-radius:.25em;color:#111"


def block(text: str) -> str:
    """Return a text as a block of its own."""
    return f"<div>{escape(text)}</div>"


def marked_text(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with spans (start, end, type) marked by the colour of their type."""
    return f'<div style="line-height:1.9;white-space:pre-wrap">{_marked(text, spans)}</div>'


def table_html(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as a table; of long ones the first."""
    if not rows:
        return f"<div>no rows ({escape(', '.join(columns))})</div>"
    head = "".join(f'<th style="text-align:left">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows[:ROWS])
    more = f"<div>... {len(rows) - ROWS:,} more</div>" if len(rows) > ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    return f'<td style="text-align:left">{escape(str(value))}</td>'


def _marked(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with spans marked by the colour of their type; a span that crosses an earlier one is left out."""
    parts: list[str] = []
    open_ends: list[tuple[int, str]] = []
    position = 0

    def close(until: int) -> None:
        nonlocal position
        while open_ends and open_ends[-1][0] <= until:
            end, type = open_ends.pop()
            parts.append(f'{escape(text[position:end])} <small style="opacity:.7">{escape(type)}</small></mark>')
            position = end

    for start, end, type in sorted(spans, key=lambda span: (span[0], -span[1], span[2])):
        close(start)
        if open_ends and end > open_ends[-1][0]:
            continue
        parts.append(f'{escape(text[position:start])}<mark style="background:{_colour(type)};{_MARK}">')
        position = start
        open_ends.append((end, type))
    close(len(text))
    return "".join([*parts, escape(text[position:])])


def _colour(type: str) -> str:
    """Return the colour of an entity type: the same in every run."""
    return f"hsl({zlib.crc32(type.encode()) % 360},75%,85%)"
