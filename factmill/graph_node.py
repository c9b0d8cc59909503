"""A node of a graph with its facts, and an edge with its ends and evidence, as objects without ids to look up."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import Node, Relation, RelationSchema
from sinks import NodeView, Sentence
from sinks.writer import relation_of

_SHOWN = 25


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A fact of the graph.

    Attributes:
        id: id of the edge, as in the tables.
        head, tail: the nodes that it relates.
        relation: the relation, with `id`, `label` and `iri`.
        confidence: probability that the fact holds, from all documents that state it.
        support: number of documents that state it.
        evidence: sentences that state it, with the document and the places of the mentions.
    """

    id: str
    head: Node
    relation: Relation
    tail: Node
    confidence: float
    support: int
    evidence: tuple[Sentence, ...] = ()

    def __repr__(self) -> str:
        return f"GraphEdge({self}, confidence={self.confidence:.4g}, support={self.support})"

    def __str__(self) -> str:
        return f"{self.head.name} -- {self.relation.label} -> {self.tail.name}"


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of the graph with its facts.

    Attributes:
        node: the node as in the tables.
        facts: edges from and to it, the most confident first.
    """

    node: Node
    facts: tuple[GraphEdge, ...]

    @property
    def id(self) -> str:
        """Id of the node, as in the tables."""
        return self.node.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @property
    def type(self) -> str:
        """Its entity type."""
        return self.node.type

    @property
    def kb_ids(self) -> tuple[str, ...]:
        """Its ids in knowledge bases."""
        return self.node.kb_ids

    @property
    def other_names(self) -> tuple[str, ...]:
        """What documents call it besides its name."""
        return tuple(alias for alias in self.node.aliases if alias != self.node.name)

    def __repr__(self) -> str:
        lines = [f"{self.name} ({', '.join([self.type, *self.kb_ids])})"]
        if self.other_names:
            lines.append(f"  also called {', '.join(self.other_names)}")
        for edge in self.facts[:_SHOWN]:
            lines.append(f"  {edge.confidence:.2f}  {edge}")
            lines += [f"        {' '.join(sentence.text.split())}" for sentence in edge.evidence[:1]]
        if len(self.facts) > _SHOWN:
            lines.append(f"  ... {len(self.facts) - _SHOWN:,} more facts")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from factmill.html import block, table_html

        about = ", ".join(filter(None, [self.type, *self.kb_ids]))
        names = block(f"also called {', '.join(self.other_names)}") if self.other_names else ""
        rows = [
            (
                edge.head.name,
                edge.relation.label,
                edge.tail.name,
                f"{edge.confidence:.2f}",
                edge.support,
                edge.evidence[0].text if edge.evidence else "",
            )
            for edge in self.facts
        ]
        columns = ("head", "relation", "tail", "confidence", "documents", "evidence")
        return f"{block(f'{self.name} ({about})')}{names}{table_html(columns, rows)}"


def graph_node(view: NodeView, schema: RelationSchema) -> GraphNode:
    """Return what `sinks.describe` says about a node, with each fact from its head to its tail."""
    edges = [
        GraphEdge(
            id=fact.id,
            head=view.node if fact.outgoing else fact.other,
            relation=relation_of(schema, fact.relation),
            tail=fact.other if fact.outgoing else view.node,
            confidence=fact.confidence,
            support=fact.support,
            evidence=fact.evidence,
        )
        for fact in view.facts
    ]
    return GraphNode(view.node, tuple(edges))
