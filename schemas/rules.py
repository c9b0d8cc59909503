"""Levels of the rules of a relation schema: each is off, warns, or is enforced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import msgspec

from schemas.record import Record

Level = Literal["off", "warn", "enforce"]
LEVELS: tuple[Level, ...] = ("off", "warn", "enforce")


class RuleError(ValueError):
    """A rule or level does not exist; the message lists the known ones."""


class Rules(Record, frozen=True):
    """The level of every rule: `off` ignores it, `warn` counts violations, `enforce` makes the graph conform.

    Attributes:
        inverse: an edge of a relation with an inverse comes with the inverse edge; enforced, it is derived.
        symmetric: an edge of a symmetric relation comes with the swapped edge; enforced, it is derived.
        types: head and tail have expected types; enforced, other edges are left out.
        functional: a head has at most `max_cardinality` tails. With a warning all are kept, ranked, and marked as a
            conflict where there are more; enforced, those beyond are left out.
    """

    inverse: Level = "warn"
    symmetric: Level = "warn"
    types: Level = "warn"
    functional: Level = "warn"

    def changed(self, levels: Mapping[str, str]) -> Self:
        """Return the rules with other levels for some.

        Raises:
            RuleError: there is no such rule or level.
        """
        for rule, level in levels.items():
            if rule not in self.__struct_fields__:
                raise RuleError(f"no rule '{rule}': use one of {', '.join(self.__struct_fields__)}")
            if level not in LEVELS:
                raise RuleError(f"the rule '{rule}' cannot be {level!r}: use one of {', '.join(LEVELS)}")
        return msgspec.structs.replace(self, **levels)


def parse_levels(text: str) -> dict[str, str]:
    """Return the levels in a text such as `inverse=enforce,functional=warn`; an empty text has none.

    Raises:
        RuleError: it has another form.
    """
    levels: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        rule, equals, level = (word.strip() for word in part.partition("="))
        if not equals:
            raise RuleError(f"'{part}' is not RULE=LEVEL, for example inverse=enforce,functional=warn")
        levels[rule] = level
    return levels
