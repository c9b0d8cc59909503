"""From what was found in single documents to the merged graph; free of Beam, and the same for any order and sharding.

A document contributes one `NodeFinding` to every node that it names, one `EdgeFinding` to every edge that it states and
`Evidence` for them. Findings of one id add up with `NodeTally` and `EdgeTally`; all that they add are whole numbers and
sets, so the sum has the same bits in any order.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.naming import entity_name, knowledge_base_ids, most_frequent, page_title, sentence_of
from schemas import Document, Edge, Evidence, Extraction, Mention, Node, Record, edge_id, node_id

# Decimals of every probability in the tables.
DECIMALS = 6
# -log(1 - p) is added up as a whole number of these parts: exact, therefore the same in any order.
_PARTS = 2**44
_CERTAIN = 1 - 2.0**-44


class NodeFinding(Record, frozen=True):
    """What one document says about one node.

    Attributes:
        id: id of the node.
        name: what the document calls it.
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


class EdgeFinding(Record, frozen=True):
    """What one document says about one edge: the highest probability among its facts of this edge."""

    id: str
    head: str
    relation: str
    tail: str
    probability: float


@dataclass(frozen=True)
class Findings:
    """The share of one document in the graph; `self_loops` counts facts whose head and tail are one node."""

    nodes: tuple[NodeFinding, ...]
    edges: tuple[EdgeFinding, ...]
    evidence: tuple[Evidence, ...]
    self_loops: int


@dataclass
class NodeTally:
    """The sum of findings about one node."""

    names: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    aliases: set[str] = field(default_factory=set)
    kb_ids: set[str] = field(default_factory=set)
    support: int = 0
    mentions: int = 0

    def add(self, finding: NodeFinding) -> None:
        """Add the finding of one more document."""
        self.names[finding.name] += 1
        self.types.update(dict(finding.types))
        self.aliases.update(finding.aliases)
        self.kb_ids.update(finding.kb_ids)
        self.support += 1
        self.mentions += finding.mentions

    def merge(self, other: NodeTally) -> None:
        """Add the sum over other documents."""
        self.names.update(other.names)
        self.types.update(other.types)
        self.aliases |= other.aliases
        self.kb_ids |= other.kb_ids
        self.support += other.support
        self.mentions += other.mentions

    def node(self, id: str) -> Node:
        """Return the node; its name is the one that most documents use, its type that of most mentions."""
        return Node(
            id=id,
            name=most_frequent(self.names),
            type=min(self.types, key=lambda type: (-self.types[type], type)),
            aliases=tuple(sorted(self.aliases)),
            kb_ids=tuple(sorted(self.kb_ids)),
            support=self.support,
            mentions=self.mentions,
        )


@dataclass
class EdgeTally:
    """The sum of findings about one edge: noisy-or over independent documents, 1 - product(1 - p), in logarithms."""

    surprisal: int = 0
    support: int = 0

    def add(self, probability: float) -> None:
        """Add one more document that states the edge with this probability."""
        self.surprisal += round(-math.log1p(-min(probability, _CERTAIN)) * _PARTS)
        self.support += 1

    def merge(self, other: EdgeTally) -> None:
        """Add the sum over other documents."""
        self.surprisal += other.surprisal
        self.support += other.support

    def edge(self, id: str, head: str, relation: str, tail: str) -> Edge:
        """Return the edge between two node ids."""
        confidence = round(-math.expm1(-self.surprisal / _PARTS), DECIMALS)
        return Edge(id=id, head=head, relation=relation, tail=tail, confidence=confidence, support=self.support)


def findings(document: Document, extraction: Extraction) -> Findings:
    """Return what a document contributes to the graph, each part sorted by id.

    Every entity becomes (part of) a node, also one without facts. Entities of the document that share a node count
    once for it. Facts whose head and tail fall into one node say nothing and are only counted.
    """
    nodes: dict[str, _NodeInDocument] = {}
    node_of: list[str] = []
    for entity in extraction.entities:
        name, aliases = entity_name(document, entity)
        kb_ids = knowledge_base_ids(document, entity, name)
        name = page_title(kb_ids) or name
        id = node_id(kb_ids[0] if kb_ids else None, name, entity.type)
        node_of.append(id)
        node = nodes.setdefault(id, _NodeInDocument())
        node.names[name] += len(entity.mentions)
        node.types[entity.type] += len(entity.mentions)
        node.aliases.update((*aliases, name))
        node.kb_ids.update(kb_ids)
        node.spans.update((mention.start, mention.end) for mention in entity.mentions)
        node.mentions += len(entity.mentions)

    stated: dict[tuple[str, str, str], float] = {}
    sentences: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
    self_loops = 0
    for fact in extraction.facts:
        key = (node_of[fact.head], fact.relation, node_of[fact.tail])
        if key[0] == key[2]:
            self_loops += 1
            continue
        stated[key] = max(stated.get(key, 0.0), round(fact.probability, DECIMALS))
        head, tail = (extraction.entities[index].mentions for index in (fact.head, fact.tail))
        sentences[key].update(fact.evidence or closest_sentences(document, head, tail))

    spans = {id: sorted(node.spans) for id, node in nodes.items()}
    edges = []
    evidence: list[Evidence] = []
    for (head_id, relation, tail_id), probability in stated.items():
        id = edge_id(head_id, relation, tail_id)
        edges.append(EdgeFinding(id, head_id, relation, tail_id, probability))
        for sentence in sentences[head_id, relation, tail_id]:
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
    types: Counter[str] = field(default_factory=Counter)
    aliases: set[str] = field(default_factory=set)
    kb_ids: set[str] = field(default_factory=set)
    spans: set[tuple[int, int]] = field(default_factory=set)
    mentions: int = 0

    def finding(self, id: str) -> NodeFinding:
        return NodeFinding(
            id=id,
            name=most_frequent(self.names),
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
