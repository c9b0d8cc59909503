"""Profiles: what the entities that are known to stand for an entry of a knowledge base look like in the corpus."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.merging.naming import knowledge_base_ids
from schemas import Document, Extraction, Record

# The profile of all entities, by which contexts are centred.
ALL = ""


class TargetProfile(Record, frozen=True, array_like=True, dict=True, gc=True):
    """The sum over entities of some documents.

    Attributes:
        types: (type, entities) pairs, sorted.
        contexts: how many context vectors were added.
        context: their sum as 64-bit integers, or nothing.
    """

    types: tuple[tuple[str, int], ...] = ()
    contexts: int = 0
    context: bytes = b""

    @classmethod
    def of(cls, type: str, context: bytes) -> TargetProfile:
        """Return the profile of one entity; its context is one of signed bytes, or nothing."""
        vector = np.frombuffer(context, np.int8).astype(np.int64)
        return cls(((type, 1),) if type else (), int(bool(context)), vector.tobytes())

    def __add__(self, other: TargetProfile) -> TargetProfile:
        types = self.types or other.types
        if self.types and other.types:
            types = tuple(sorted((Counter(dict(self.types)) + Counter(dict(other.types))).items()))
        context = self.context or other.context
        if self.context and other.context:
            context = (self._sum + other._sum).tobytes()
        return TargetProfile(types, self.contexts + other.contexts, context)

    def agreement(self, type: str) -> float:
        """Return how far a type agrees with those of the entities: 0 where none is known, below for another one."""
        total = sum(count for _, count in self.types)
        return math.log(2 * (dict(self.types).get(type, 0) + 0.5) / (total + 1))

    def similarity(self, context: bytes, everything: TargetProfile) -> float:
        """Return the cosine of a context and the mean of these, both as they differ from the mean of all; else 0."""
        if not (context and self.contexts and everything.contexts):
            return 0.0
        centre = everything.mean
        one, other = np.frombuffer(context, np.int8) - centre, self.mean - centre
        norms = float(np.linalg.norm(one) * np.linalg.norm(other))
        return float(one @ other) / norms if norms else 0.0

    @property
    def _sum(self) -> NDArray[np.int64]:
        return np.frombuffer(self.context, np.int64)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """The mean context."""
        return self._sum / self.contexts


def profile_counts(document: Document, extraction: Extraction) -> Iterator[tuple[str, TargetProfile]]:
    """Yield the profiles of all that the entities of a document stand for, and of `ALL` of them."""
    everything = TargetProfile()
    contexts = extraction.contexts or (b"",) * len(extraction.entities)
    for entity, context in zip(extraction.entities, contexts, strict=True):
        profile = TargetProfile.of(entity.type, context)
        everything += profile
        for target in knowledge_base_ids(document, entity):
            yield target, profile
    yield ALL, everything
