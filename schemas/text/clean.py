"""Text that can be stored anywhere: no lone surrogates and no NUL, which UTF-8 and databases refuse."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Return the text with every lone surrogate and NUL replaced by U+FFFD; its length stays the same."""
    return _UNSTORABLE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return the clean text with every run of white space as one blank, and none at its ends."""
    return " ".join(clean(text).split())
