"""Profiles: what the whole corpus says about a node, as far as it helps to tell whether two nodes are one thing.

A profile has a bounded size however often its node is mentioned. Sums are of whole numbers, and samples keep what has
the smallest hashes, so the parts of a profile may be joined in any order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.merging import NamedEntity
from pipeline.naming import most_frequent
from schemas import Document, Extraction, Record

# How many aliases, neighbours and documents a profile keeps.
SAMPLE = 32
# Context vectors of profiles are unit vectors times this, so that their products are exact.
UNIT = 127


class Profile(Record, frozen=True):
    """What is known about a node.

    Attributes:
        id: of the node.
        name: the name that most documents use.
        type: the type of most of its mentions.
        kb_id: what the node stands for, or nothing.
        aliases, neighbours, documents: samples of its other names, of the nodes that it shares facts with, and of the
            documents that mention it; sorted.
        support: number of documents.
        context: mean of its context vectors less the corpus mean, one signed byte for each dimension; may be empty.
    """

    id: str
    name: str
    type: str
    kb_id: str
    aliases: tuple[str, ...]
    neighbours: tuple[str, ...]
    documents: tuple[str, ...]
    support: int
    context: bytes = b""


@dataclass
class ProfileTally:
    """The sum of what documents say about one node."""

    names: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    kb_ids: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    neighbours: set[str] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)
    support: int = 0
    context: NDArray[np.int64] | None = None

    def merge(self, other: ProfileTally) -> None:
        """Add the sum over other documents."""
        self.names.update(other.names)
        self.types.update(other.types)
        self.kb_ids |= other.kb_ids
        self.aliases = sample(self.aliases | other.aliases)
        self.neighbours = sample(self.neighbours | other.neighbours)
        self.documents = sample(self.documents | other.documents)
        self.support += other.support
        self.context = added(self.context, other.context)

    def profile(self, id: str, corpus: NDArray[np.int64] | None = None) -> Profile:
        """Return the profile of a node, its context centred by the sum over the whole corpus."""
        return Profile(
            id=id,
            name=most_frequent(self.names),
            type=min(self.types, key=lambda type: (-self.types[type], type)),
            kb_id=min(self.kb_ids, default=""),
            aliases=tuple(sorted(self.aliases)),
            neighbours=tuple(sorted(self.neighbours)),
            documents=tuple(sorted(self.documents)),
            support=self.support,
            context=centred(self.context, corpus),
        )


def said(
    document: Document, extraction: Extraction, named: Sequence[NamedEntity]
) -> Iterator[tuple[str, ProfileTally]]:
    """Yield every node of a document with what the document says about it; `named` are its entities by their nodes."""
    tallies: dict[str, ProfileTally] = {}
    for index, (entity, node) in enumerate(zip(extraction.entities, named, strict=True)):
        tally = tallies.setdefault(node.node, ProfileTally(documents={document.id}, support=1))
        tally.names[node.name] += len(entity.mentions)
        tally.types[entity.type] += len(entity.mentions)
        tally.aliases.update(node.aliases)
        tally.kb_ids.update(node.kb_ids[:1])
        if index < len(extraction.contexts) and extraction.contexts[index]:
            vector = np.frombuffer(extraction.contexts[index], np.int8).astype(np.int64)
            tally.context = added(tally.context, counted(vector))
    for fact in extraction.facts:
        head, tail = named[fact.head].node, named[fact.tail].node
        if head != tail:
            tallies[head].neighbours.add(tail)
            tallies[tail].neighbours.add(head)
    for id, tally in tallies.items():
        tally.names = Counter([most_frequent(tally.names)])
        tally.aliases, tally.neighbours = sample(tally.aliases), sample(tally.neighbours)
        yield id, tally


def sample(values: Iterable[str]) -> set[str]:
    """Return the values with the smallest hashes; a sample of samples is the sample of everything."""
    values = set(values)
    return values if len(values) <= SAMPLE else set(sorted(values, key=_hash)[:SAMPLE])


def counted(vector: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a vector with the number of vectors that it is the sum of, one, as a last place."""
    return np.append(vector, 1)


def added(one: NDArray[np.int64] | None, other: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Return the sum of two sums of vectors; nothing and a sum is the sum."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def centred(own: NDArray[np.int64] | None, corpus: NDArray[np.int64] | None) -> bytes:
    """Return the direction from the mean of the corpus to the mean of a node, in signed bytes."""
    if own is None or corpus is None:
        return b""
    away = own[:-1] / own[-1] - corpus[:-1] / corpus[-1]
    length = float(np.sqrt(np.square(away).sum()))
    return b"" if length < 1e-9 else np.rint(away / length * UNIT).astype(np.int8).tobytes()


def _hash(value: str) -> bytes:
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
