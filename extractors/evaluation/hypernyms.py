"""The hypernym filter of the chemical-disease literature, over the MeSH tree.

Annotators of CDR mark the most specific disease only. A predicted pair that is not gold, but is a more general form of
a gold pair of the same document, therefore counts neither as right nor as wrong. More general means: the tree number
of its disease is an ancestor of one of the gold disease, with the same chemical; or the same for the chemical, with the
same disease. The usual code asks whether one tree number is a substring of the other; because every part of a tree
number has a fixed width, that is the same as the comparison of whole parts made here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from extractors.evaluation.comparison import Comparison, EntityKey, Triple


class MeshTreeError(ValueError):
    """A MeSH tree file is missing or broken; the message names the line."""


@dataclass(frozen=True, slots=True)
class MeshTree:
    """Tree numbers such as `C14.280.067` of every descriptor, by ids such as `mesh:D001145`."""

    numbers: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> MeshTree:
        """Read a tab-separated file with a header line and the columns tree number, descriptor id, term.

        Raises:
            MeshTreeError: the file is missing, or a line has fewer than two columns.
        """
        if not path.is_file():
            raise MeshTreeError(f"no MeSH tree at '{path}': give the path of a file such as 2017MeshTree.txt")
        numbers: dict[str, list[str]] = defaultdict(list)
        with path.open(encoding="utf-8") as lines:
            for position, line in enumerate(lines, start=1):
                columns = line.rstrip("\r\n").split("\t")
                if position == 1 or columns == [""]:
                    continue
                if len(columns) < 2:
                    raise MeshTreeError(f"{path}, line {position}: expected tree number, descriptor id and term by tab")
                numbers[f"mesh:{columns[1]}"].append(columns[0])
        return cls({descriptor: tuple(found) for descriptor, found in numbers.items()})

    def numbers_of(self, kb_ids: Iterable[str]) -> frozenset[str]:
        """Return the tree numbers of some ids; ids outside the tree have none."""
        return frozenset(number for kb_id in kb_ids for number in self.numbers.get(kb_id, ()))

    def ancestors_of(self, kb_ids: Iterable[str]) -> frozenset[str]:
        """Return the tree numbers above those of some ids, these left out."""
        found: set[str] = set()
        for number in self.numbers_of(kb_ids):
            parts = number.split(".")
            found.update(".".join(parts[:length]) for length in range(1, len(parts)))
        return frozenset(found)


def without_hypernyms(comparison: Comparison, tree: MeshTree) -> set[Triple]:
    """Return the predicted facts of a document without those that only generalise one of its gold facts."""
    more_general: dict[tuple[str, EntityKey], set[str]] = defaultdict(set)
    for head, relation, tail in comparison.gold:
        more_general["head of " + relation, tail] |= tree.ancestors_of(comparison.kb_ids[head])
        more_general["tail of " + relation, head] |= tree.ancestors_of(comparison.kb_ids[tail])

    def generalises(triple: Triple) -> bool:
        head, relation, tail = triple
        return not (
            more_general["head of " + relation, tail].isdisjoint(tree.numbers_of(comparison.kb_ids[head]))
            and more_general["tail of " + relation, head].isdisjoint(tree.numbers_of(comparison.kb_ids[tail]))
        )

    return {triple for triple in comparison.predicted if triple in comparison.gold or not generalises(triple)}
