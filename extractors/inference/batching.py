"""Group consecutive items whose total cost is within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def groups_within(items: Iterable[T], cost: Callable[[T], int], budget: int) -> Iterator[list[T]]:
    """Yield consecutive items whose costs add up to at most the budget, at least one item each."""
    group: list[T] = []
    used = 0
    for item in items:
        price = cost(item)
        if group and used + price > budget:
            yield group
            group, used = [], 0
        group.append(item)
        used += price
    if group:
        yield group
