"""What comes out: nodes, edges and evidence of the merged graph, and their content-hash ids."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache

from schemas.record import Record


class Node(Record, frozen=True):
    """An entity of the merged graph.

    Attributes:
        id: `node_id` of its key.
        name: the title of the page it stands for, else the most frequent surface form (ties: the longer, then the
            alphabetically first).
        type: entity type with the most mentions (ties: alphabetically first).
        aliases: all surface forms, sorted.
        kb_ids: knowledge-base ids, sorted.
        support: number of documents that mention it.
        mentions: number of mentions in all documents.
    """

    id: str
    name: str
    type: str
    aliases: tuple[str, ...]
    kb_ids: tuple[str, ...]
    support: int
    mentions: int


class Edge(Record, frozen=True):
    """A fact of the merged graph.

    Attributes:
        id: `edge_id` of its key.
        head, relation, tail: id of the node it starts from, id of the relation, id of the node it ends at.
        confidence: noisy-or over independent documents.
        support: number of documents that state it, or imply it.
        independent: the same number, near duplicates counted once.
        derived_from: ids of the edges that it follows from by a rule; empty where documents state it.
        conflict: whether its head has more tails than its relation allows.
        rank: place among the tails of its head, the surest first, for relations that allow so many; else 0.
    """

    id: str
    head: str
    relation: str
    tail: str
    confidence: float
    support: int
    independent: int = 1
    derived_from: tuple[str, ...] = ()
    conflict: bool = False
    rank: int = 0


class MergedNode(Record, frozen=True):
    """A node that was found to be part of another one.

    Attributes:
        id: id that it would have by its name.
        node: id of the node that it is part of.
        name: what most documents call it.
        type: its entity type.
        support: number of documents that mention it.
        score: probability that both are one thing.
        reason: what the two names have to do with each other.
        features: (feature, value) pairs that the score follows from.
        documents: ids of documents that mention it, some of them where there are many; sorted.
    """

    id: str
    node: str
    name: str
    type: str
    support: int
    score: float
    reason: str
    features: tuple[tuple[str, float], ...]
    documents: tuple[str, ...]


class LinkedEntity(Record, frozen=True):
    """An entity of a document of which linking decided what it stands for.

    Attributes:
        document: id of the document.
        start, end: characters of its first mention.
        name: what the document calls it first.
        target: knowledge-base id that it stands for.
        probability: that it does.
        source: what speaks for it most of all.
        features: (feature, value) pairs that the probability follows from.
        others: (knowledge-base id, probability) of what it may stand for instead, the likeliest first, at most three.
    """

    document: str
    start: int
    end: int
    name: str
    target: str
    probability: float
    source: str
    features: tuple[tuple[str, float], ...]
    others: tuple[tuple[str, float], ...]


class Evidence(Record, frozen=True):
    """One sentence of one document that supports an edge.

    Attributes:
        edge: id of the edge.
        document: id of the document.
        sentence: index of the sentence in the document.
        start, end: character offsets of the sentence in the document's text.
        text: the sentence.
        head_spans, tail_spans: character offsets in the document's text of the mentions in this sentence.
        probability: calibrated probability of the fact in this document.
    """

    edge: str
    document: str
    sentence: int
    start: int
    end: int
    text: str
    head_spans: tuple[tuple[int, int], ...]
    tail_spans: tuple[tuple[int, int], ...]
    probability: float


def normalise_name(name: str) -> str:
    """Return the form under which two names count as equal: NFKC, case-folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def content_hash(*parts: str) -> str:
    """Return 128 bits of BLAKE2b over the parts in hexadecimal; parts are length-prefixed, so no two lists collide."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


@lru_cache(4_096)
def node_id(kb_id: str | None, name: str, type: str) -> str:
    """Return the id of a node: from its knowledge-base id if it has one, else from its normalised name and type."""
    return content_hash("kb", kb_id) if kb_id else content_hash("name", normalise_name(name), type)


def edge_id(head: str, relation: str, tail: str) -> str:
    """Return the id of an edge between two node ids."""
    return content_hash("edge", head, relation, tail)
