"""Superscripts and subscripts as plain text that keeps its sense: 10^5 is not 105, and 1/2 is not 12."""

from __future__ import annotations

import re

_FRACTION = re.compile(
    r"<sup[^<>]{0,80}>(?P<top>\d{1,9})</sup>\s?(?:/|⁄|&frasl;)\s?<sub[^<>]{0,80}>(?P<bottom>\d{1,9})</sub>"
)
_RAISED = re.compile(r"<sup[^<>]{0,80}>([^<>]{1,60})</sup>", re.IGNORECASE)
_NUMBER = re.compile(r"[+±−–-]?(?:[a-z](?![a-z])|[\d.,/+−–-])+")  # 5, -1, 2n, 1/2; no two letters in a row
_BASE = re.compile(r"([^\W\d_]+|\d|[)\]])['\"’}\s]*$")
_MARKUP = re.compile(r"<[^<>]*>|''+|\]\]")
_UNITS = {"m", "km", "cm", "mm", "dm", "nm", "µm", "μm", "ft", "in", "mi", "yd", "pc", "hm"}
_SIGNS = {"2": "²", "3": "³"}
_VARIABLES = frozenset("nkxpmijtyz")


def superscript(base: str, raised: str) -> str:
    """Return raised characters as plain text behind their base; `base` is the text that ends where they begin.

    An exponent is marked (`10^5`, `x^2`), squared and cubed units have the sign for it (`km²`), and what is no number
    or raises no quantity is joined as it is (`1st`, `CD4+`, `XIXe`).
    """
    plain = raised.strip().strip("'").replace("&minus;", "−")
    match = _BASE.search(base)
    if not match or not plain:
        return raised
    word = match[1]
    if word.isdigit():
        exponent = _NUMBER.fullmatch(plain) and (any(map(str.isdigit, plain)) or plain in _VARIABLES)
        return f"^{plain}" if exponent else raised
    if not _NUMBER.fullmatch(plain) or not any(map(str.isdigit, plain)):
        return f"^{plain}" if word in ")]" and plain in _VARIABLES else raised
    if word in _UNITS and plain in _SIGNS:
        return _SIGNS[plain]
    is_charge = plain[-1] in "+−–-"
    is_quantity = word in ")]" or word in _UNITS or len(word) < 3
    return f"^{plain}" if is_quantity and not is_charge else raised


def with_scripts(text: str) -> str:
    """Return text in which the elements `<sup>` and fractions of `<sup>` and `<sub>` are plain text."""
    if "<sup" not in text and "<SUP" not in text:
        return text
    return _RAISED.sub(_plain, _FRACTION.sub(_fraction, text))


def _fraction(match: re.Match[str]) -> str:
    blank = " " if match.string[max(0, match.start() - 1) : match.start()].isdigit() else ""
    return f"{blank}{match['top']}/{match['bottom']}"


def _plain(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 60) : match.start()]
    plain = superscript(_MARKUP.sub("", before), match[1])
    # Digits that follow are no part of the exponent.
    return f"{plain} " if plain[:1] == "^" and match.string[match.end() : match.end() + 1].isdigit() else plain
