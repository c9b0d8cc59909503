"""Types of option values that click does not have: probabilities, learning rates, formats of input files."""

from __future__ import annotations

import math

import click


class _Real(click.ParamType[float]):
    """A finite number that satisfies a condition.

    Args:
        name: what click calls such a value.
        most: the largest value, which is allowed; the smallest is 0.
        zero: whether 0 is allowed.
    """

    def __init__(self, name: str, most: float = math.inf, zero: bool = True) -> None:
        self.name, self._most, self._zero = name, most, zero

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number of a text."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if math.isfinite(number) and (number > 0 or (self._zero and number == 0)) and number <= self._most:
            return number
        least = "from 0" if self._zero else "greater than 0"
        range_ = f"{least} to {self._most:g}" if math.isfinite(self._most) else least
        self.fail(f"'{value}' is not a number {range_}", param, ctx)


class _Format(click.ParamType[str]):
    name = "format"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a format that there is a reader for."""
        from pipeline.readers import registered
        from runners.errors import did_you_mean

        name, known = str(value), registered()
        if name not in known:
            self.fail(f"there is no format '{name}'{did_you_mean(name, known) or ';'} use one of {', '.join(known)}")
        return name


SHARE = _Real("share", most=1.0)
RATE = _Real("rate", most=1.0, zero=False)
SECONDS = _Real("seconds", most=86_400.0, zero=False)
FORMAT = _Format()
