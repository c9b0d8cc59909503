"""Abbreviations that a text introduces itself, as in "acute renal failure (ARF)": Schwartz and Hearst (2003).

"A simple algorithm for identifying abbreviation definitions in biomedical text", Pacific Symposium on Biocomputing.
Stricter than there: a short form is one word with a capital letter, with two of them where it comes first, and a long
form lies inside one clause.
"""

from __future__ import annotations

import re

# Section 3.1: two to ten characters; the long form has at most so many more words.
_SHORT = re.compile(r"(?=.*[A-Z])\w\S{1,9}")
_SHORT_FIRST = re.compile(r"(?=.*[A-Z].*[A-Z])\w\S{1,9}")
_MORE_WORDS = 5
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_END_OF_SHORT = re.compile(r"[;,]")
_END_OF_CLAUSE = re.compile(r"[()\[\];:]|\. ")


def abbreviations(text: str) -> dict[str, str]:
    """Return the long form of each abbreviation that a text introduces, by its short form as it is written.

    Both orders are known, `long form (SF)` and `SF (long form)`; of several long forms the first counts.
    """
    found: dict[str, str] = {}
    for match in _PARENTHESES.finditer(text):
        before, inside = text[: match.start()].split(), match.group(1).strip()
        if not before or not inside:
            continue
        short, word = _END_OF_SHORT.split(inside)[0].strip(), before[-1]
        if _SHORT.fullmatch(short):
            long = _long_form(short, " ".join(before))
        elif _SHORT_FIRST.fullmatch(word):
            short, long = word, _long_form(word, inside)
        else:
            continue
        if long is not None:
            found.setdefault(short, long)
    return found


def _long_form(short: str, before: str) -> str | None:
    """Return the shortest end of a text that a short form stands for (section 3.2 and figure 1), if there is one.

    Its letters and digits are found there in their order, the first one at the beginning of a word.
    """
    words = _END_OF_CLAUSE.split(before)[-1].split()
    clause = " ".join(words[-min(len(short) + _MORE_WORDS, 2 * len(short)) :])
    lowered = clause.lower()
    first, *others = (sign for sign in short.lower() if sign.isalnum())
    at = len(lowered)
    for sign in reversed(others):
        at = lowered.rfind(sign, 0, max(at, 0))
    at = lowered.rfind(first, 0, max(at, 0))
    while at > 0 and lowered[at - 1].isalnum():
        at = lowered.rfind(first, 0, at)
    if at < 0:
        return None
    long = clause[lowered.rfind(" ", 0, at) + 1 :]
    return long if len(long) > len(short) and short not in long.split() else None
