"""Edges in rounds, so that writers who work at the same time never wait for each other's nodes.

Nodes fall into groups by their id, and an edge lies in the cell of the groups of its two ends. All cells are played in
rounds, as a tournament in which everybody meets everybody: no group appears twice in a round, so its cells can be
written at the same time without a deadlock over nodes. A rare one is left, which the driver tries again: the server
also locks the relationship that a new one is put before, and that may lead to the nodes of another writer.
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
        raise ValueError(f"nodes fall into one group at least, not {groups}")
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
