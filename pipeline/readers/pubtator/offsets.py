"""Offsets of mentions as other programs count them: in characters, in units of UTF-16, or in bytes of UTF-8."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

Span = tuple[int, int, str]


def in_characters(text: str, spans: Sequence[Span]) -> list[Span | None]:
    """Return (start, end, words) of mentions in characters of the text, None for those whose words are not there.

    Offsets are taken for units of UTF-16 or bytes of UTF-8 where that is right for more of the mentions, among them
    all that are right in characters.
    """
    plain = [span if _fits(text, *span) else None for span in spans]
    if None not in plain or text.isascii():
        return plain
    best = plain
    for size in (_utf16_units, _utf8_bytes):
        units = list(accumulate(map(size, text), initial=0))
        moved = [span if span and _fits(text, *span) else None for span in (_moved(units, span) for span in spans)]
        agree = all(there is not None for there, here in zip(moved, plain, strict=True) if here is not None)
        if agree and moved.count(None) < best.count(None):
            best = moved
    return best


def _fits(text: str, start: int, end: int, words: str) -> bool:
    return 0 <= start < end <= len(text) and text[start:end] == words


def _moved(units: Sequence[int], span: Span) -> Span | None:
    places = [bisect_left(units, offset) for offset in span[:2]]
    exact = all(at < len(units) and units[at] == offset for at, offset in zip(places, span[:2], strict=True))
    return (places[0], places[1], span[2]) if exact else None


def _utf16_units(character: str) -> int:
    return 2 if character > "\uffff" else 1


def _utf8_bytes(character: str) -> int:
    return len(character.encode("utf-8", "surrogatepass"))
