"""Synthetic graphs for tests: complete tables with nodes, edges, evidence and documents that fit together."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas import DeadLetter, Edge, Evidence, LinkedEntity, MergedNode, Node, edge_id, load_relation_schema, node_id
from sinks import GraphTables, write_table

SCHEMA = load_relation_schema("docred")
ODD_NAMES = (
    "Robert'); DROP TABLE Students;--",
    "`backticks` and ``more``",
    "\"double\" 'single' \\backslash\\",
    "line\nbreak\r\n\ttab\x0b\x0c\x85\u2028",
    "NUL\x00in the middle\x01\x1f\x7f",
    "שלום עולם \u202eright to left\u202c مرحبا",
    "<http://example.org/> <<( s p o )>> . # {curly} $x |pipe^",
    "%20 percent %zz &amp; ?query=1&b=2#fragment",
    "e\u0301 ＦＵＬＬ ﬁ ß İ \ufeff\ufffe\uffff",
    "plane 1 😀 2 𠀀 3 𰀀 14 \U000e0101 15 \U000f0000 16 \U0010ffff",
    "MATCH (n) DETACH DELETE n",
    " leading and trailing ",
    "x" * 10_000,
    ".",
)


class DocumentRow(NamedTuple):
    id: str
    source: str
    title: str
    text: str
    tokens: int
    sentences: int
    entities: int
    facts: int
    metadata: tuple[tuple[str, str], ...]
    version: int


@dataclass
class Graph:
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    documents: list[DocumentRow] = field(default_factory=list)
    links: list[LinkedEntity] = field(default_factory=list)
    merges: list[MergedNode] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def write(self, folder: Path) -> GraphTables:
        for name in ("nodes", "edges", "evidence", "documents", "links", "merges", "dead_letters"):
            write_table(getattr(self, name), name, folder / "tables" / f"{name}.parquet")
        return GraphTables.open(folder)


def make_node(name: str, type: str = "PER", kb_id: str | None = None, aliases=(), support: int = 1) -> Node:
    return Node(
        id=node_id(kb_id, name, type),
        name=name,
        type=type,
        aliases=tuple(sorted({name, *aliases})),
        kb_ids=(kb_id,) if kb_id else (),
        support=support,
        mentions=support + 1,
    )


def make_edge(head: Node, relation: str, tail: Node, confidence: float = 0.75, support: int = 1) -> Edge:
    return Edge(edge_id(head.id, relation, tail.id), head.id, relation, tail.id, confidence, support)


def make_document(id: str, text: str, title: str | None = None) -> DocumentRow:
    return DocumentRow(
        id=id,
        source="sample.xml",
        title=id.partition(":")[2] if title is None else title,
        text=text,
        tokens=len(text.split()),
        sentences=text.count(".") or 1,
        entities=2,
        facts=1,
        metadata=(("mesh", "Odd \x00 'heading'"), ("mesh", "Other")),
        version=1,
    )


def state(graph: Graph, edge: Edge, document: str, sentence: int = 0, probability: float = 0.75) -> None:
    """Add one sentence of evidence, and its document, to a graph."""
    names = {node.id: node.name for node in graph.nodes}
    head, tail = names[edge.head], names[edge.tail]
    text = f"{head} ~ {tail}."
    start = 100 * sentence
    graph.evidence.append(
        Evidence(
            edge=edge.id,
            document=document,
            sentence=sentence,
            start=start,
            end=start + len(text),
            text=text,
            head_spans=((start, start + len(head)),),
            tail_spans=((start + len(text) - 1 - len(tail), start + len(text) - 1),),
            probability=probability,
        )
    )
    if all(row.id != document for row in graph.documents):
        graph.documents.append(make_document(document, text))


def small_graph() -> Graph:
    """Ada, her father and London: two relations, one edge with two documents, one node without edges."""
    ada = make_node("Ada Lovelace", kb_id="wiki:Ada Lovelace", aliases=("Ada", "Countess of Lovelace"), support=3)
    byron = make_node("Lord Byron", kb_id="wiki:Lord Byron", support=2)
    london = make_node("London", "LOC", kb_id="wiki:London", support=2)
    lonely = make_node("Lisinopril", "MISC", kb_id="mesh:D017706")
    graph = Graph([ada, byron, london, lonely])
    born = make_edge(ada, "P19", london, 0.9375, 2)
    father = make_edge(ada, "P22", byron, 0.5)
    graph.edges += [born, father]
    state(graph, born, "wiki:Ada Lovelace", 0)
    state(graph, born, "wiki:Ada Lovelace", 2)
    state(graph, born, "pubmed:17942999", 1)
    state(graph, father, "wiki:Ada Lovelace", 1)
    return graph


def odd_graph(names=ODD_NAMES, types=("PER", "LOC"), schema=SCHEMA) -> Graph:
    """A ring of nodes with the given names; names also serve as aliases, knowledge-base ids and document ids."""
    graph = Graph()
    for position, name in enumerate(names):
        other = names[(position + 1) % len(names)]
        kb_id = f"wiki:{name}" if position % 2 else None
        node = make_node(name, types[position % len(types)], kb_id, aliases=(f"{name}2", other))
        if all(node.id != known.id for known in graph.nodes):
            graph.nodes.append(node)
    for position, head in enumerate(graph.nodes):
        tail = graph.nodes[(position + 1) % len(graph.nodes)]
        relation = schema.relations[position % len(schema.relations)].id
        edge = msgspec.structs.replace(
            make_edge(head, relation, tail, 0.5 + 0.4 / (position + 1)),
            independent=position % 3,
            derived_from=tuple(edge.id for edge in graph.edges[-(position % 4) :]),
            conflict=position % 2 == 0,
            rank=position % 5,
        )
        if all(edge.id != known.id for known in graph.edges):
            graph.edges.append(edge)
            state(graph, edge, f"wiki:{head.name}")
    return graph


def random_graph(nodes: int, edges: int, seed: int = 7) -> Graph:
    """A graph of the given size; every relation holds between two pairs of types, and some are far more frequent.

    Every edge has evidence in one or two documents.
    """
    chance = random.Random(seed)
    types = SCHEMA.entity_types
    graph = Graph([make_node(f"Name {number}", types[number % 6], support=number % 7 + 1) for number in range(nodes)])
    pairs = {relation.id: [chance.sample(range(6), 2) for _ in range(2)] for relation in SCHEMA.relations}
    documents = [f"wiki:Page {number}" for number in range(max(1, edges // 10))]
    graph.documents = [make_document(id, "Some text.") for id in documents]
    seen = set()
    while len(graph.edges) < edges:
        relation = SCHEMA.relations[int(96 * chance.random() ** 3)].id
        head, tail = (graph.nodes[6 * chance.randrange(nodes // 6) + type] for type in chance.choice(pairs[relation]))
        edge = make_edge(head, relation, tail, round(chance.uniform(0.01, 1.0), 6), chance.randint(1, 2))
        if edge.id in seen or head is tail:
            continue
        seen.add(edge.id)
        graph.edges.append(edge)
        for document in sorted(chance.sample(documents, min(edge.support, len(documents)))):
            text = f"{head.name} has something to do with {tail.name}."
            spans = ((0, len(head.name)),), ((len(text) - 1 - len(tail.name), len(text) - 1),)
            graph.evidence.append(Evidence(edge.id, document, 0, 0, len(text), text, *spans, edge.confidence))
    return graph
