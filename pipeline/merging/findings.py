"""From extractions of single documents to the merged graph, without Beam; the result is the same for any order.

A document contributes one `NodeFinding` to every node that it names, one `EdgeFinding` to every edge that it states, or
implies by the rules of the relation schema, and `Evidence` for them. Findings of one id are summed in `NodeTally`
and `EdgeTally`, which add whole numbers and sets only, so the sum has the same bits in any order.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from pipeline.merging.naming import entity_name, knowledge_base_ids, most_frequent, other_ids, page_title, sentence_of
from schemas import Document, Edge, Evidence, Extraction, Mention, Node, Record, edge_id, node_id

# Decimals of every probability in the tables.
DECIMALS = 6
# -log(1 - p) is summed as a whole number of these parts, which is exact and so the same in any order.
_PARTS = 2**44
_CERTAIN = 1 - 2.0**-44
# Sums saturate at a limit that fits into 64 bits; saturating addition is still the same in any order.
_MOST = 2**62


class NodeFinding(Record, frozen=True):
    """The contribution of one document to one node.

    Attributes:
        id: id of the node.
        name: its name in the document.
        types: (type, mentions) pairs, sorted.
        aliases, kb_ids: sorted.
        mentions: number of mentions.
    """

    id: str
    name: str
    types: tuple[tuple[str, int], ...]
    aliases: tuple[str, ...]
    kb_ids: tuple[str, ...]
    mentions: int


class EdgeFinding(Record, frozen=True, array_like=True):
    """The contribution of one document to one edge.

    Attributes:
        id, head, relation, tail: the edge and its ends.
        probability: the highest among its facts of this edge.
        derived_from: ids of the edges whose facts imply this one; empty where the document states it.
    """

    id: str
    head: str
    relation: str
    tail: str
    probability: float
    derived_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """The contribution of one document to the graph; `self_loops` counts facts whose head and tail are one node."""

    nodes: tuple[NodeFinding, ...]
    edges: tuple[EdgeFinding, ...]
    evidence: tuple[Evidence, ...]
    self_loops: int


# Head node, relation, tail node.
_Triple = tuple[str, str, str]


class NamedEntity(NamedTuple):
    """An entity of a document: its node, its name, all of its names, and its knowledge-base ids."""

    node: str
    name: str
    aliases: tuple[str, ...]
    kb_ids: tuple[str, ...]


class NodeTally(msgspec.Struct, array_like=True, gc=False):
    """The sum of findings about one node."""

    names: dict[str, int] = {}
    titles: dict[str, int] = {}
    types: dict[str, int] = {}
    aliases: set[str] = set()
    kb_ids: set[str] = set()
    support: int = 0
    mentions: int = 0

    def add(self, finding: NodeFinding) -> None:
        """Add the finding of one more document."""
        count(self.names, finding.name)
        if page_title(finding.kb_ids):
            count(self.titles, finding.name)
        for type, mentions in finding.types:
            count(self.types, type, mentions)
        self.aliases.update(finding.aliases)
        self.kb_ids.update(finding.kb_ids)
        self.support += 1
        self.mentions += finding.mentions

    def merge(self, other: NodeTally) -> NodeTally:
        """Add the sum over other documents, and return this one."""
        for own, others in ((self.names, other.names), (self.titles, other.titles), (self.types, other.types)):
            for word, number in others.items():
                count(own, word, number)
        self.aliases |= other.aliases
        self.kb_ids |= other.kb_ids
        self.support += other.support
        self.mentions += other.mentions
        return self

    def node(self, id: str) -> Node:
        """Return the node, with the title of its page or else the most frequent name, and the type of most mentions."""
        return Node(
            id=id,
            name=most_frequent(self.titles or self.names),
            type=min(self.types, key=lambda type: (-self.types[type], type)),
            aliases=tuple(sorted(self.aliases)),
            kb_ids=tuple(sorted(self.kb_ids)),
            support=self.support,
            mentions=self.mentions,
        )


class EdgeTally(Record, frozen=True, array_like=True):
    """The sum of findings about one edge.

    Attributes:
        surprisal: sum of -log(1 - p) over independent documents, in parts.
        strongest: the largest term of this sum.
        support: documents.
        independent: documents of which none is a near duplicate of another.
        stated: whether a document states the edge and does not only imply it.
        derived_from: ids of the edges that imply it.
    """

    surprisal: int
    strongest: int
    support: int = 1
    independent: int = 1
    stated: bool = True
    derived_from: tuple[str, ...] = ()

    @classmethod
    def of(cls, probability: float, derived_from: tuple[str, ...] = ()) -> EdgeTally:
        """Return the tally of one document."""
        parts = round(-math.log1p(-min(probability, _CERTAIN)) * _PARTS)
        return cls(parts, parts, stated=not derived_from, derived_from=derived_from)

    def with_independent(self, other: EdgeTally) -> EdgeTally:
        """Return the sum over documents that are independent of each other."""
        return EdgeTally(
            surprisal=min(self.surprisal + other.surprisal, _MOST),
            strongest=max(self.strongest, other.strongest),
            support=self.support + other.support,
            independent=self.independent + other.independent,
            stated=self.stated or other.stated,
            derived_from=_union(self.derived_from, other.derived_from),
        )

    def with_duplicate(self, other: EdgeTally) -> EdgeTally:
        """Return the sum over documents that are near duplicates: they count as the most probable one."""
        return EdgeTally(
            surprisal=max(self.surprisal, other.surprisal),
            strongest=max(self.strongest, other.strongest),
            support=self.support + other.support,
            independent=1,
            stated=self.stated or other.stated,
            derived_from=_union(self.derived_from, other.derived_from),
        )

    def edge(self, id: str, head: str, relation: str, tail: str, correlation: float = 0.0) -> Edge:
        """Return the edge between two node ids.

        Its confidence is the noisy-or over independent documents, 1 - (1 - p)(1 - q)(1 - r)..., where p is the highest
        probability. With a correlation the others count less: 1 - (1 - p) [(1 - q)(1 - r)...] ** (1 - correlation).
        """
        others = self.surprisal - self.strongest
        parts = self.strongest + (others if correlation == 0.0 else round(others * (1.0 - correlation)))
        return Edge(
            id=id,
            head=head,
            relation=relation,
            tail=tail,
            confidence=round(-math.expm1(-parts / _PARTS), DECIMALS),
            support=self.support,
            independent=self.independent,
            derived_from=() if self.stated else self.derived_from,
        )


def count(counts: dict[str, int], word: str, number: int = 1) -> None:
    """Add to the count of a word."""
    counts[word] = counts.get(word, 0) + number


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return one if one == other else tuple(sorted({*one, *other}))


def named_entities(document: Document, extraction: Extraction) -> list[NamedEntity]:
    """Return the entities of a document with their nodes: those of resolution, or else of their id or name."""
    found = []
    nodes = extraction.nodes or ("",) * len(extraction.entities)
    for entity, resolved in zip(extraction.entities, nodes, strict=True):
        name, aliases = entity_name(document, entity)
        kb_ids = knowledge_base_ids(document, entity, name)
        name = page_title(kb_ids) or name
        node = resolved or node_id(kb_ids[0] if kb_ids else None, name, entity.type)
        if document.id in kb_ids:
            kb_ids = (*kb_ids, *other_ids(document))
        found.append(NamedEntity(node, name, (*aliases, name), kb_ids))
    return found


def findings(
    document: Document, extraction: Extraction, implied: Mapping[str, Sequence[str]] | None = None
) -> Findings:
    """Return what a document contributes to the graph, each part sorted by id.

    Every entity becomes (part of) a node, also one without facts. Entities of the document with the same node count
    once for it. Facts whose head and tail have the same node are only counted. The probability of a fact is that of the
    fact in the document times those of the links of its entities.

    Args:
        document: the document.
        extraction: its extraction.
        implied: by relation, the relations that it implies from tail to head. An implied fact is at least as probable
            as the stated one; if each implies the other, both have the mean.
    """
    nodes: dict[str, _NodeInDocument] = {}
    node_of: list[str] = []
    for entity, named in zip(extraction.entities, named_entities(document, extraction), strict=True):
        node_of.append(named.node)
        node = nodes.setdefault(named.node, _NodeInDocument())
        node.names[named.name] += len(entity.mentions)
        if page_title(named.kb_ids):
            node.titles[named.name] += len(entity.mentions)
        node.types[entity.type] += len(entity.mentions)
        node.aliases.update(named.aliases)
        node.kb_ids.update(named.kb_ids)
        node.spans.update((mention.start, mention.end) for mention in entity.mentions)
        node.mentions += len(entity.mentions)

    stated: dict[_Triple, float] = {}
    sentences: defaultdict[_Triple, set[int]] = defaultdict(set)
    self_loops = 0
    for fact in extraction.facts:
        key = (node_of[fact.head], fact.relation, node_of[fact.tail])
        if key[0] == key[2]:
            self_loops += 1
            continue
        head, tail = extraction.entities[fact.head], extraction.entities[fact.tail]
        probability = round(fact.probability * head.link_probability * tail.link_probability, DECIMALS)
        stated[key] = max(stated.get(key, 0.0), probability)
        sentences[key].update(fact.evidence or closest_sentences(document, head.mentions, tail.mentions))

    probabilities, sources = dict(stated), defaultdict[_Triple, set[str]](set)
    implied = implied or {}
    for (head_id, relation, tail_id), probability in stated.items():
        for other in implied.get(relation, ()):
            key = (tail_id, other, head_id)
            sentences[key] |= sentences[head_id, relation, tail_id]
            if key not in stated:
                sources[key].add(edge_id(head_id, relation, tail_id))
            elif relation in implied.get(other, ()):  # two estimates of one probability
                probabilities[key] = round((stated[key] + probability) / 2, DECIMALS)
                continue
            probabilities[key] = max(probabilities.get(key, 0.0), probability)

    spans = {id: sorted(node.spans) for id, node in nodes.items()}
    edges = []
    evidence: list[Evidence] = []
    for key, probability in probabilities.items():
        head_id, relation, tail_id = key
        id = edge_id(head_id, relation, tail_id)
        edges.append(EdgeFinding(id, head_id, relation, tail_id, probability, tuple(sorted(sources[key]))))
        for sentence in sentences[key]:
            evidence.append(_evidence(document, id, sentence, spans[head_id], spans[tail_id], probability))
    return Findings(
        nodes=tuple(nodes[id].finding(id) for id in sorted(nodes)),
        edges=tuple(sorted(edges, key=lambda edge: edge.id)),
        evidence=tuple(sorted(evidence, key=lambda row: (row.edge, row.sentence))),
        self_loops=self_loops,
    )


@dataclass
class _NodeInDocument:
    names: Counter[str] = field(default_factory=Counter)
    titles: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    aliases: set[str] = field(default_factory=set)
    kb_ids: set[str] = field(default_factory=set)
    spans: set[tuple[int, int]] = field(default_factory=set)
    mentions: int = 0

    def finding(self, id: str) -> NodeFinding:
        return NodeFinding(
            id=id,
            name=most_frequent(self.titles or self.names),
            types=tuple(sorted(self.types.items())),
            aliases=tuple(sorted(self.aliases)),
            kb_ids=tuple(sorted(self.kb_ids)),
            mentions=self.mentions,
        )


def closest_sentences(document: Document, head: Sequence[Mention], tail: Sequence[Mention]) -> tuple[int, ...]:
    """Return the one or two sentences where head and tail are named closest to each other.

    Closest is: fewest sentences apart, then fewest tokens apart, then first in the document.
    """

    def distance(a: Mention, b: Mention) -> tuple[int, int, int, int]:
        first, second = sentence_of(document, a.start), sentence_of(document, b.start)
        return abs(first - second), max(a.start, b.start) - min(a.end, b.end), min(first, second), max(first, second)

    apart, _, first, second = min(distance(a, b) for a in head for b in tail)
    return (first, second) if apart else (first,)


def _evidence(
    document: Document,
    edge: str,
    sentence: int,
    head: Sequence[tuple[int, int]],
    tail: Sequence[tuple[int, int]],
    probability: float,
) -> Evidence:
    first, last = document.sentences[sentence]
    start, end = document.tokens[first][0], document.tokens[last - 1][1]

    def inside(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        here = spans[bisect_left(spans, (first, first)) : bisect_left(spans, (last, last))]
        return tuple((document.tokens[a][0], document.tokens[b - 1][1]) for a, b in here)

    return Evidence(
        edge=edge,
        document=document.id,
        sentence=sentence,
        start=start,
        end=end,
        text=document.text[start:end],
        head_spans=inside(head),
        tail_spans=inside(tail),
        probability=probability,
    )
