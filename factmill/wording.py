"""Numbers of things in what people read."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and its noun: `1 edge`, `1,200 edges`; `many` is the plural where no `s` makes it."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
