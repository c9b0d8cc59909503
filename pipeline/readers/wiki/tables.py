"""Takes tables out of wikitext, those of wikitext and of HTML, in linear time."""

from __future__ import annotations

import re

_WIKITEXT = r"^[ \t:*#]*(?:(?P<begin>\{\|)|(?P<end>\|\}))"
_HTML = r"<(?:(?P<open>table(?=[\s>])[^<>]*)|(?P<close>/table\s*))>"
_TABLE = re.compile(_WIKITEXT, re.MULTILINE)
_ANY_TABLE = re.compile(f"{_WIKITEXT}|{_HTML}", re.MULTILINE | re.IGNORECASE)
# Where the damage of a table without an end stops: at a heading, or behind a blank line that no row follows.
_AFTER_ROWS = re.compile(r"^==|\n[ \t]*\n(?=[^\s|!{<])", re.MULTILINE)
_ROWS = re.compile(r"^[ \t]*\|-[^\n]*(?:\n[ \t]*[|!][^\n]*)*", re.MULTILINE)


def without_tables(text: str) -> str:
    """Return the text without tables; of a table that never ends only its rows go."""
    cuts: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []  # kind of the table and where it begins
    pattern = _ANY_TABLE if "<table" in text or "<TABLE" in text else _TABLE
    for match in pattern.finditer(text):
        kind = "wikitext" if match.lastgroup in ("begin", "end") else "html"
        if match.lastgroup in ("begin", "open"):
            opened.append((kind, match.start()))
        elif any(kind == other for other, _ in opened[-8:]):
            while opened:
                other, start = opened.pop()
                if other == kind:
                    cuts.append((start, match.end()))
                    break
    reach = 0
    for _, start in opened:
        if start >= reach:
            end = _AFTER_ROWS.search(text, start)
            reach = end.start() if end else len(text)
            cuts.append((start, reach))
    return _ROWS.sub("", _without(text, cuts)) if "\n|-" in text else _without(text, cuts)


def _without(text: str, cuts: list[tuple[int, int]]) -> str:
    kept: list[str] = []
    at = 0
    for start, end in sorted(cuts):
        if start > at:
            kept.append(text[at:start])
        at = max(at, end)
    kept.append(text[at:])
    return "".join(kept)
