"""A compact record of the content of a database, to determine what to write and what to remove."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np


def fingerprint(kind: Hashable, properties: Mapping[str, Any]) -> int:
    """Return a hash of an element, valid within this process."""
    values = ((name, tuple(value) if isinstance(value, list) else value) for name, value in properties.items())
    return hash((kind, frozenset(values)))


class ExistingElements:
    """The elements of one kind in a database, at a few bytes each.

    Args:
        elements: for each, its key, its fingerprint, and the id that the database assigned. These ids have the form
            `PREFIX:NUMBER` with one prefix.
    """

    def __init__(self, elements: Iterable[tuple[Hashable, int, str]]) -> None:
        self._prefix = ""
        rows = []
        for key, print, element in elements:
            self._prefix, _, number = element.rpartition(":")
            rows.append((hash(key), print, int(number)))
        table = np.array(rows, np.int64).reshape(-1, 3)
        table = table[np.argsort(table[:, 0], kind="stable")]
        self._keys, self._prints, self._numbers = table.T.copy()
        self._seen = np.zeros(len(table), bool)

    def __len__(self) -> int:
        return len(self._keys)

    def differing(self, keys: Iterable[Hashable], prints: Iterable[int]) -> tuple[list[int], list[tuple[int, str]]]:
        """Compare expected elements with the database, and mark them as seen.

        Returns:
            The positions of missing elements; and those of elements that differ, with the ids that the database
            assigned.
        """
        wanted = np.array([hash(key) for key in keys], np.int64)
        expected = np.array(list(prints), np.int64)
        if not len(self):
            return list(range(len(wanted))), []
        place = np.minimum(np.searchsorted(self._keys, wanted), len(self) - 1)
        there = self._keys[place] == wanted
        self._seen[place[there]] = True
        changed = np.flatnonzero(there & (self._prints[place] != expected))
        return np.flatnonzero(~there).tolist(), [
            (position, self._id(number))
            for position, number in zip(changed.tolist(), self._numbers[place[changed]].tolist(), strict=True)
        ]

    def unseen(self) -> list[str]:
        """Return the ids of elements that were never expected; of several with the same key, all but one."""
        return [self._id(number) for number in self._numbers[~self._seen].tolist()]

    def _id(self, number: int) -> str:
        return f"{self._prefix}:{number}"
