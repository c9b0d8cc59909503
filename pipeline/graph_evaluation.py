"""How good a built graph is: its nodes and edges held against those of annotated documents, merged in the same way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from extractors.calibration.calibration_error import Quality, quality
from extractors.evaluation.score import Score
from pipeline.merging.findings import NodeTally, findings
from pipeline.merging.rule_semantics import implied_relations
from schemas import Document, Extraction, Node, RelationSchema, normalise_name
from sinks import GraphTables

CUTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

# Head, relation, tail; ends are ids of gold nodes, or of built nodes that stand for none.
Triple = tuple[str, str, str]


@dataclass(frozen=True)
class GoldGraph:
    """The graph of annotated documents: nodes and edges by id, and the edges that each document states."""

    nodes: dict[str, Node]
    edges: frozenset[Triple]
    stated: dict[str, frozenset[Triple]]


@dataclass(frozen=True)
class GraphScores:
    """How a built graph compares with a gold graph.

    Attributes:
        nodes: nodes of the gold graph found as one node.
        edges: distinct edges by the confidence that they have at least.
        facts: the same for single documents, by their probability: pairs of a document and an edge that it states.
        confidence: calibration of the confidences of edges; None without edges.
        documents: annotated documents, and those of them that are in the graph.
    """

    nodes: Score
    edges: dict[float, Score]
    facts: dict[float, Score]
    confidence: Quality | None
    documents: tuple[int, int]

    @property
    def best(self) -> tuple[float, Score]:
        """The cut with the highest F1 over edges, and the score there."""
        return max(self.edges.items(), key=lambda item: (item[1].f1, -item[0]))

    @property
    def best_fact(self) -> tuple[float, Score]:
        """The same over facts of single documents."""
        return max(self.facts.items(), key=lambda item: (item[1].f1, -item[0]))

    @property
    def gap(self) -> float:
        """How much the best F1 over facts of single documents is higher than that over edges."""
        return self.best_fact[1].f1 - self.best[1].f1


def gold_graph(documents: Iterable[Document], schema: RelationSchema) -> GoldGraph:
    """Merge annotated documents by the rules of a schema."""
    implied = implied_relations(schema, "enforce")
    nodes: defaultdict[str, NodeTally] = defaultdict(NodeTally)
    stated = {}
    for document in documents:
        found = findings(document, Extraction(document.id, document.entities or (), document.facts), implied)
        for node in found.nodes:
            nodes[node.id].add(node)
        stated[document.id] = frozenset((edge.head, edge.relation, edge.tail) for edge in found.edges)
    edges = frozenset().union(*stated.values())
    return GoldGraph({id: tally.node(id) for id, tally in nodes.items()}, edges, stated)


def match_nodes(gold: Iterable[Node], built: Iterable[Node]) -> dict[str, str]:
    """Match built nodes with gold nodes: each with at most one, and each gold node once.

    Two nodes may stand for each other if they share a knowledge-base id, or if they have the same type and a name or
    alias in common. Of several the best are taken: a shared id first, then the same name, then the most aliases in
    common, then the most documents.
    """
    gold_nodes = {node.id: node for node in gold}
    named: defaultdict[object, list[str]] = defaultdict(list)
    for node in gold_nodes.values():
        for key in _keys(node):
            named[key].append(node.id)
    pairs = []
    for node in built:
        shared: defaultdict[str, list[object]] = defaultdict(list)
        for key in _keys(node):
            for id in named.get(key, ()):
                shared[id].append(key)
        for id, keys in shared.items():
            other = gold_nodes[id]
            same_id = any(isinstance(key, str) for key in keys)
            same_name = normalise_name(node.name) == normalise_name(other.name)
            pairs.append((not same_id, not same_name, -len(keys), -node.support, id, node.id))
    matched: dict[str, str] = {}
    taken = set()
    for *_, gold_id, built_id in sorted(pairs):
        if built_id not in matched and gold_id not in taken:
            matched[built_id] = gold_id
            taken.add(gold_id)
    return matched


def evaluate_graph(
    tables: GraphTables, documents: Sequence[Document], schema: RelationSchema, cuts: Sequence[float] = CUTS
) -> GraphScores:
    """Compare a built graph with the gold graph of annotated documents.

    The graph should be made of the same documents, as text; more of them cost precision. Documents are found by their
    id, or else by their text.

    Args:
        tables: the built graph.
        documents: with annotated entities and facts.
        schema: the relations and rules that the graph was built with.
        cuts: confidences from which edges count.
    """
    gold = gold_graph(documents, schema)
    matched = match_nodes(gold.nodes.values(), _nodes(tables))
    edges: dict[str, Triple] = {}
    confidence: list[float] = []
    for batch in tables.batches("edges", ("id", "head", "relation", "tail", "confidence")):
        for id, head, relation, tail, sure in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            edges[id] = (matched.get(head, head), relation, matched.get(tail, tail))
            confidence.append(sure)
    predicted = list(zip(confidence, edges.values(), strict=True))
    same = _same_documents(tables, documents)
    facts = {
        (document, edge): sure
        for batch in tables.batches("evidence", ("document", "edge", "probability"))
        for document, edge, sure in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        if document in same
    }
    stated = frozenset((id, *triple) for id in same.values() for triple in gold.stated[id])
    found = [(sure, (same[document], *edges[edge])) for (document, edge), sure in facts.items()]
    correct = np.array([triple in gold.edges for _, triple in predicted], bool)
    return GraphScores(
        nodes=Score(len(gold.nodes), tables.count("nodes"), len(matched)),
        edges={cut: _score_at(cut, predicted, gold.edges) for cut in cuts},
        facts={cut: _score_at(cut, found, stated) for cut in cuts},
        confidence=quality(np.array(confidence), correct) if predicted else None,
        documents=(len(documents), len(same)),
    )


def _keys(node: Node) -> list[object]:
    """Return what a node can be known by: its ids as texts, its names as pairs of name and type."""
    names = {normalise_name(name) for name in (node.name, *node.aliases)}
    return [*node.kb_ids, *((name, node.type) for name in sorted(names))]


def _nodes(tables: GraphTables) -> Iterator[Node]:
    for batch in tables.batches("nodes"):
        for row in batch.to_pylist():
            yield Node(**{**row, "aliases": tuple(row["aliases"]), "kb_ids": tuple(row["kb_ids"])})


def _same_documents(tables: GraphTables, documents: Sequence[Document]) -> dict[str, str]:
    """Return the id of the annotated document for every document of the graph that is one of them."""
    ids = {document.id for document in documents}
    texts = {_plain(document.text): document.id for document in documents}
    found = {}
    for batch in tables.batches("documents", ("id", "text"), 1_000):
        for id, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            own = id if id in ids else texts.get(_plain(text))
            if own is not None:
                found[id] = own
    return found


def _plain(text: str) -> str:
    return "".join(text.split())


def _score_at(
    cut: float, predicted: Sequence[tuple[float, tuple[str, ...]]], gold: frozenset[tuple[str, ...]]
) -> Score:
    kept = [triple for sure, triple in predicted if sure >= cut]
    return Score(len(gold), len(kept), sum(triple in gold for triple in kept))
