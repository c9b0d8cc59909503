"""Nodes, edges and evidence of the merged graph, and their content-hash ids."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache

from schemas.record import Record


class Node(Record, frozen=True):
    """An entity of the merged graph.

    Attributes:
        id: `node_id` of its key.
        name: the title of its page, else the most frequent surface form (ties: the longer, then the alphabetically
            first).
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
        head, relation, tail: ids of the head node, the relation and the tail node.
        confidence: noisy-or over independent documents.
        support: number of documents that state it, or imply it.
        independent: the same number with near-duplicates counted once.
        derived_from: ids of the edges from which a rule derived it; empty if documents state it.
        conflict: whether its head has more tails than its relation allows.
        rank: position among the tails of its head by confidence, for relations with a maximum cardinality; else 0.
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
    """A node that resolution merged into another one.

    Attributes:
        id: the id that its name determines.
        node: id of the node into which it was merged.
        name: its most frequent name.
        type: its entity type.
        support: number of documents that mention it.
        score: probability that both are the same entity.
        reason: how the two names are related.
        features: (feature, value) pairs behind the score.
        documents: ids of documents that mention it, a sample if there are many; sorted.
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
    """An entity of a document that was linked to a knowledge-base entry.

    Attributes:
        document: id of the document.
        start, end: characters of its first mention.
        name: its first name in the document.
        target: knowledge-base id of the entry.
        probability: calibrated probability of the link.
        source: the strongest evidence for it.
        features: (feature, value) pairs behind the probability.
        others: (knowledge-base id, probability) of at most three alternatives, the most probable first.
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
