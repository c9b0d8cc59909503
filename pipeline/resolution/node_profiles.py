"""Node profiles: what the corpus says about a node, as far as matching needs it.

A profile has a bounded size, however often its node is mentioned. Sums are of whole numbers, and samples keep the
values with the smallest hashes, so the parts of a profile may be added in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pipeline.merging.findings import NamedEntity, count
from pipeline.merging.naming import most_frequent
from schemas import Document, Extraction, Record

# Number of aliases, neighbours and documents that a profile keeps at most.
SAMPLE = 32


class NodeProfile(Record, frozen=True, array_like=True):
    """The profile of a node.

    Attributes:
        id: of the node.
        name: the name that most documents use.
        type: the type of most of its mentions.
        kb_id: its knowledge-base id, or nothing.
        aliases, neighbours, documents: samples of its other names, of the nodes that it shares facts with, and of the
            documents that mention it; sorted.
        support: number of documents.
    """

    id: str
    name: str
    type: str
    kb_id: str
    aliases: tuple[str, ...]
    neighbours: tuple[str, ...]
    documents: tuple[str, ...]
    support: int


class ProfileTally(msgspec.Struct, array_like=True, gc=False):
    """The sum of what documents say about one node."""

    names: dict[str, int] = {}
    types: dict[str, int] = {}
    kb_ids: set[str] = set()
    aliases: set[str] = set()
    neighbours: set[str] = set()
    documents: set[str] = set()
    support: int = 0

    def merge(self, other: ProfileTally) -> ProfileTally:
        """Add the sum over other documents, and return this one."""
        for own, others in ((self.names, other.names), (self.types, other.types)):
            for word, number in others.items():
                count(own, word, number)
        self.kb_ids |= other.kb_ids
        self.aliases = sample(self.aliases | other.aliases)
        self.neighbours = sample(self.neighbours | other.neighbours)
        self.documents = sample(self.documents | other.documents)
        self.support += other.support
        return self

    def profile(self, id: str) -> NodeProfile:
        """Return the profile of a node."""
        return NodeProfile(
            id=id,
            name=most_frequent(self.names),
            type=min(self.types, key=lambda type: (-self.types[type], type)),
            kb_id=min(self.kb_ids, default=""),
            aliases=tuple(sorted(self.aliases)),
            neighbours=tuple(sorted(self.neighbours)),
            documents=tuple(sorted(self.documents)),
            support=self.support,
        )


def profile_tallies(
    document: Document, extraction: Extraction, named: Sequence[NamedEntity]
) -> Iterator[tuple[str, ProfileTally]]:
    """Yield (node, tally) for every node of a document; `named` are its entities with their nodes."""
    tallies: dict[str, ProfileTally] = {}
    for entity, node in zip(extraction.entities, named, strict=True):
        tally = tallies.setdefault(node.node, ProfileTally(documents={document.id}, support=1))
        count(tally.names, node.name, len(entity.mentions))
        count(tally.types, entity.type, len(entity.mentions))
        tally.aliases.update(node.aliases)
        tally.kb_ids.update(node.kb_ids[:1])
    for fact in extraction.facts:
        head, tail = named[fact.head].node, named[fact.tail].node
        if head != tail:
            tallies[head].neighbours.add(tail)
            tallies[tail].neighbours.add(head)
    for id, tally in tallies.items():
        tally.names = {most_frequent(tally.names): 1}
        tally.aliases, tally.neighbours = sample(tally.aliases), sample(tally.neighbours)
        yield id, tally


def sample(values: Iterable[str]) -> set[str]:
    """Return the values with the smallest hashes; a sample of samples is the sample of everything."""
    values = set(values)
    return values if len(values) <= SAMPLE else set(sorted(values, key=_hash)[:SAMPLE])


def _hash(value: str) -> bytes:
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
