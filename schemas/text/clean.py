"""Removes characters that cannot be stored: lone surrogates and NUL, which UTF-8 and databases refuse."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Soft hyphen, zero-width spaces, direction marks, word joiner, byte order mark. The joiners U+200C and U+200D change
# how a word is written and are not among them.
INVISIBLE = "\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def clean(text: str) -> str:
    """Return the text with every lone surrogate and NUL replaced by U+FFFD; its length stays the same."""
    if text.isascii() and "\0" not in text:
        return text  # most words, and far quicker than the expression
    return _UNSTORABLE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return the clean text with every run of white space as one space, and none at its ends."""
    return " ".join(clean(text).split())


def visible(text: str) -> str:
    """Return the text without invisible characters that have no meaning."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
