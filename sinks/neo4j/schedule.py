"""Schedules edges in rounds so that parallel writers never wait for each other's nodes.

Nodes are grouped by their id, and an edge belongs to the cell of the groups of its two ends. The cells are scheduled
like a round-robin tournament: no group occurs twice in a round, so the cells of a round can be written in parallel
without a deadlock over nodes. A rare deadlock remains, which the driver retries: the server also locks the
relationship before which it inserts a new one, and that may lead to the nodes of another writer.
"""

from __future__ import annotations

Cell = tuple[int, int]


def rounds(groups: int) -> list[list[Cell]]:
    """Return all cells `(a, b)` with `a <= b < groups`, each once, in rounds of disjoint groups.

    The first round holds the cells within a group; the others follow from each other by the circle method.

    Raises:
        ValueError: `groups` is not positive.
    """
    if groups < 1:
        raise ValueError(f"there must be at least one group of nodes, not {groups}")
    seats = list(range(groups + groups % 2))  # with an odd number, one group rests in every round
    found = [[(group, group) for group in range(groups)]]
    for _ in range(len(seats) - 1):
        pairs = zip(seats[: len(seats) // 2], reversed(seats[len(seats) // 2 :]), strict=True)
        found.append(sorted((min(pair), max(pair)) for pair in pairs if max(pair) < groups))
        seats.insert(1, seats.pop())
    return [cells for cells in found if cells]


def group_of(node: str, groups: int) -> int:
    """Return the group of a node id, which is a content hash."""
    return int(node[:8], 16) * groups >> 32


def cell_of(head: str, tail: str, groups: int) -> Cell:
    """Return the cell of an edge between two node ids."""
    ends = group_of(head, groups), group_of(tail, groups)
    return min(ends), max(ends)
