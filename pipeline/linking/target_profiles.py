"""Target profiles: the types of the entities that are known to stand for an entry of a knowledge base."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from pipeline.merging.naming import knowledge_base_ids
from schemas import Document, Extraction, Record


class TargetProfile(Record, frozen=True, array_like=True):
    """The types of the entities of some documents that stand for one target.

    Attributes:
        types: (type, number of entities) pairs, sorted.
    """

    types: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, type: str) -> TargetProfile:
        """Return the profile of one entity."""
        return cls(((type, 1),) if type else ())

    def __add__(self, other: TargetProfile) -> TargetProfile:
        if not (self.types and other.types):
            return self if self.types else other
        return TargetProfile(tuple(sorted((Counter(dict(self.types)) + Counter(dict(other.types))).items())))

    def agreement(self, type: str) -> float:
        """Return how well a type agrees with the profile: 0 without known types, negative for a rare type."""
        total = sum(count for _, count in self.types)
        return math.log(2 * (dict(self.types).get(type, 0) + 0.5) / (total + 1))


def profile_counts(document: Document, extraction: Extraction) -> Iterator[tuple[str, TargetProfile]]:
    """Yield (target, profile) for every entity of a document with a knowledge-base id, one for each of its ids."""
    for entity in extraction.entities:
        profile = TargetProfile.of(entity.type)
        for target in knowledge_base_ids(document, entity):
            yield target, profile
