"""Sentences and tokens with exact character offsets."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sentencex import get_sentence_boundaries

from schemas.text.clean import INVISIBLE

Spans = tuple[tuple[int, int], ...]

_WINDOW = 4096  # characters

# Combining marks belong to the letter before them, but `\w` does not match most of them.
_MARKS = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)).startswith("M"))
# Invisible characters. Inside a word they belong to it (soft hyphens, non-joiners of Persian); elsewhere they count as
# white space.
_UNSEEN = f"{INVISIBLE}\u200c\u200d\ufe0e\ufe0f"
_JOINT = f"[{_UNSEEN}]++(?=[^\\W_])"
_ABBREVIATIONS = "Inc Ltd Corp Co Jr Sr Dr Mr Mrs Ms St Mt Ft Prof Gen Col Lt Capt Sgt Maj Adm Gov Sen Rep Rev vs No al"

# Tokens as in DocRED: hyphens, punctuation and `'s` are tokens of their own; numbers, initials, O'Brien are one token.
# The first two alternatives are shortcuts for most tokens; white space is consumed, so no alternative is tried at it.
_TOKEN = re.compile(
    rf"""[\s{_UNSEEN}]*+(
      [a-zA-Z]++(?=[ ,])
    | [,.;:)"(](?=[ \n])
    | \d++(?:[.,]\d++)+ | \d++(?![^\W_])               # 3.5   1,000   1999
    | (?:[^\W\d_]\.){{2,}}                             # U.S.  e.g.
    | [A-Z]\.(?=\s?[^\W\d_])                           # the J. of J. R. R. Tolkien
    | (?:{"|".join(_ABBREVIATIONS.split())})\.(?=\s?\w)
    | ['’][sS](?![^\W_])                               # the 's of Tolkien's
    | [^\W_](?:[^\W_]|[{_MARKS}]|{_JOINT})*+(?:['’](?![sS](?![^\W_]))[^\W\d_](?:[^\W_]|[{_MARKS}]|{_JOINT})*+)*+
    | ([^\w\s]|_)\2*+                                  # runs of one sign: ...  --
    )""",
    re.VERBOSE,
)


def segment(
    text: str, spans: Iterable[tuple[int, int]] = (), breaks: Iterable[int] = (), language: str = "en"
) -> tuple[Spans, Spans]:
    """Split a text into tokens and sentences.

    Every visible character belongs to exactly one token, and every token to exactly one sentence. Invisible characters,
    such as soft hyphens and direction marks, neither split a word nor form a token.

    Args:
        text: any text.
        spans: character spans of gold mentions: no sentence boundary cuts them, and tokens are split at their ends.
        breaks: character offsets at which a sentence always ends (for example the end of the title).
        language: code of the language; its abbreviations do not end a sentence.

    Returns:
        (start, end) character offsets of the tokens, and (start, end) token ranges of the sentences.
    """
    spans = sorted(spans)
    forced = {offset for offset in breaks if 0 < offset < len(text)}
    limits = sorted({0, len(text), *_outside(_sentence_ends(text, language or "en"), spans), *forced})
    cuts = sorted({offset for span in spans for offset in span})
    cut = 0
    tokens: list[tuple[int, int]] = []
    sentences: list[tuple[int, int]] = []
    for start, end in pairwise(limits):
        first = len(tokens)
        # Trailing white space would be tried one character at a time.
        tokens += [match.span(1) for match in _TOKEN.finditer(text, start, start + len(text[start:end].rstrip()))]
        while cut < len(cuts) and cuts[cut] < end:
            _cut(tokens, cuts[cut])
            cut += 1
        if len(tokens) > first:
            sentences.append((first, len(tokens)))
    return tuple(tokens), tuple(sentences)


def align(tokens: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """Return the range of tokens that cover exactly the characters `start` to `end`, ignoring white space at both ends.

    None if the span is blank or a boundary is inside a token.
    """
    first = bisect_left(tokens, (start, start))
    last = bisect_left(tokens, (end, end))
    if first == last or (first and tokens[first - 1][1] > start) or tokens[last - 1][1] > end:
        return None
    return first, last


def _sentence_ends(text: str, language: str) -> Iterator[int]:
    """Yield where sentences end, in ascending order.

    The splitter takes quadratic time on some runs of punctuation, so it gets one window of the text at a time: the next
    one begins with the last sentence, which may be incomplete, unless that is most of the window.
    """
    start = last = 0
    while start < len(text):
        stop = min(start + _WINDOW, len(text))
        ends = sorted({start + item["end_index"] for item in get_sentence_boundaries(language, text[start:stop])})
        ends = [end for end in ends if last < end < stop]
        yield from ends
        last = ends[-1] if ends else last
        start = stop if stop == len(text) or last < start + _WINDOW // 2 else last


def _outside(limits: Iterable[int], spans: list[tuple[int, int]]) -> Iterator[int]:
    """Yield the ascending boundaries that are inside none of the ascending spans."""
    reach = index = 0
    for limit in limits:
        while index < len(spans) and spans[index][0] < limit:
            reach = max(reach, spans[index][1])
            index += 1
        if limit >= reach:
            yield limit


def _cut(tokens: list[tuple[int, int]], offset: int) -> None:
    """Split the token around an offset in two, if the offset is inside one."""
    index = bisect_left(tokens, (offset, 0)) - 1
    if index >= 0 and tokens[index][1] > offset > tokens[index][0]:
        start, end = tokens[index]
        tokens[index : index + 1] = [(start, offset), (offset, end)]
