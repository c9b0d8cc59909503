"""Abbreviations that a text defines, as in "acute renal failure (ARF)": Schwartz and Hearst (2003).

"A simple algorithm for identifying abbreviation definitions in biomedical text", Pacific Symposium on Biocomputing 8.
Stricter than the paper: a short form is one word with a capital letter, with two of them if it comes first, and a long
form is part of one clause.
"""

from __future__ import annotations

import re

# Section 3.1: two to ten characters; the long form has at most this many more words.
_SHORT = re.compile(r"[^\W_]\S{1,9}")
_MORE_WORDS = 5
# Parentheses with a definition, and how many characters before them are searched.
_PARENTHESES = re.compile(r"\(([^()]{2,100})\)")
_NEAR = 300
_END_OF_SHORT = re.compile(r"[;,]")
_END_OF_CLAUSE = re.compile(r"[()\[\];:]|\.\s|\n\s*\n")
_WORD = re.compile(r"\S+")


def long_forms(text: str) -> dict[str, str]:
    """Return the long form of every abbreviation that a text defines, both as they are written there.

    Both orders are recognised, `long form (SF)` and `SF (long form)`; of several definitions the first counts.
    """
    found: dict[str, str] = {}
    for match in _PARENTHESES.finditer(text):
        before, inside = text[max(0, match.start() - _NEAR) : match.start()], match[1].strip()
        short, (*_, word) = _END_OF_SHORT.split(inside)[0].strip(), ("", *before.split())
        if _capitals(short) > 0:
            long = _long_form(short, before)
        elif _capitals(word) > 1:
            short, long = word, _long_form(word, inside)
        else:
            continue
        if long is not None:
            found.setdefault(short, long)
    return found


def _capitals(form: str) -> int:
    """Return the number of capital letters of a short form, in any alphabet; 0 if it does not have the shape of one."""
    return sum(sign.isupper() for sign in form) if _SHORT.fullmatch(form) else 0


def _long_form(short: str, before: str) -> str | None:
    """Return the shortest suffix of a text that matches a short form (section 3.2 and figure 1), if there is one.

    It has the letters and digits of the short form in their order, the first one at the beginning of a word.
    """
    clause = _END_OF_CLAUSE.split(before)[-1].rstrip()
    words = list(_WORD.finditer(clause))[-min(len(short) + _MORE_WORDS, 2 * len(short)) :]
    small = "".join(sign.lower()[0] for sign in clause)  # as long as the clause, whatever the language
    first, *others = (sign.lower()[0] for sign in short if sign.isalnum())
    at = len(small)
    for sign in reversed(others):
        at = small.rfind(sign, 0, max(at, 0))
    at = small.rfind(first, 0, max(at, 0))
    while at > 0 and small[at - 1].isalnum():
        at = small.rfind(first, 0, at)
    begins = [word.start() for word in words if word.start() <= at]
    if not begins:
        return None
    long = clause[begins[-1] :]
    return long if len(long) > len(short) and short not in long.split() else None
