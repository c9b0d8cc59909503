"""Abbreviations that a text explains, by the rule of Schwartz and Hearst (2003).

A simple algorithm for identifying abbreviation definitions in biomedical text, Pacific Symposium on Biocomputing 8.
"""

from __future__ import annotations

import re

_IN_PARENTHESES = re.compile(r"\(([^()]{2,60})\)")
_LONGEST = 10  # characters of a short form
_MOST_WORDS = 2


def long_forms(text: str) -> dict[str, str]:
    """Return for every abbreviation that the text explains its long form; of several explanations the first counts.

    "prostate cancer (PC)" explains PC, and so does "PC (prostate cancer)".
    """
    found: dict[str, str] = {}
    for match in _IN_PARENTHESES.finditer(text):
        inner = re.split(r"[,;]", match[1])[0].strip()
        # What can be explained stands in the same paragraph, before the parenthesis.
        before = text[max(0, match.start() - 300) : match.start()].rpartition("\n")[2].rstrip()
        if _is_short(inner):
            short, long = inner, _long_form(inner, _last_words(before, min(len(inner) + 5, 2 * len(inner))))
        else:
            short = _last_words(before, 1)
            long = _long_form(short, inner) if _is_short(short) else None
        if long:
            found.setdefault(short, long)
    return found


def _is_short(form: str) -> bool:
    """Return whether a form can be an abbreviation: one or two words, 2 to 10 characters, a letter, no small start."""
    return (
        2 <= len(form) <= _LONGEST
        and len(form.split()) <= _MOST_WORDS
        and form[0].isalnum()
        and any(character.isalpha() for character in form)
        and any(character.isupper() for character in form)
    )


def _last_words(text: str, count: int) -> str:
    words = list(re.finditer(r"\S+", text))
    return text[words[-min(count, len(words))].start() :] if words else ""


def _long_form(short: str, text: str) -> str | None:
    """Return the shortest end of a text that explains a short form, or None.

    From the right, every letter and digit of the short form is found in the text; the first one begins a word.
    """
    at = len(text)
    for place in range(len(short) - 1, -1, -1):
        sign = short[place].lower()
        if not sign.isalnum():
            continue
        at -= 1
        while at >= 0 and (text[at].lower() != sign or (place == 0 and at > 0 and text[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return None
    long = text[at:].strip()
    words = long.split()
    if len(long) <= len(short) or short in words or len(words) > min(len(short) + 5, 2 * len(short)):
        return None
    return long
