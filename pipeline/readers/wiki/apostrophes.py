"""Runs of apostrophes that mean italics and bold, in the way MediaWiki understands them."""

from __future__ import annotations

import re

_RUN = re.compile(r"''+")
_POSSESSIVE = re.compile(r"s(?!\w)")
_LITERAL = "&#39;"


def with_literal_apostrophes(text: str) -> str:
    """Return wikitext in which apostrophes that belong to the text are character references.

    On a line with an odd number of marks for bold and of marks for italics, one mark for bold is an apostrophe and a
    mark for italics, as in `''Times'''s reporter`.
    """
    kept: list[str] = []
    at = 0
    while (found := text.find("'''", at)) != -1:
        start = text.rfind("\n", at, found) + 1 or at
        end = text.find("\n", found)
        end = len(text) if end == -1 else end
        kept += [text[at:start], _line(text[start:end])]
        at = end
    return "".join([*kept, text[at:]])


def _line(line: str) -> str:
    runs = [(run.start(), len(run[0])) for run in _RUN.finditer(line)]
    bold = sum(length in (3, 4) or length > 4 for _, length in runs)
    italic = sum(length == 2 or length > 4 for _, length in runs)
    if bold % 2 == 0 or italic % 2 == 0:
        return line
    at = _chosen(line, [start for start, length in runs if length in (3, 4)])
    return line if at is None else f"{line[:at]}{_LITERAL}''{line[at + 3 :]}"


def _chosen(line: str, starts: list[int]) -> int | None:
    """Return where the mark for bold begins that is no such mark.

    MediaWiki takes the first behind a word of one letter, else behind a longer one, else behind a blank. A mark in
    front of the `s` of a possessive goes before all of them: that is what the writer means.
    """
    possessive = next((start for start in starts if _POSSESSIVE.match(line, start + 3)), None)
    if possessive is not None:
        return possessive
    after_word = after_blank = None
    for start in starts:
        before = line[max(0, start - 2) : start]
        if before[-1:] == " " or not before:
            after_blank = start if after_blank is None else after_blank
        elif len(before) == 1 or before[0] == " ":
            return start
        else:
            after_word = start if after_word is None else after_word
    return after_blank if after_word is None else after_word
