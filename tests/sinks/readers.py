"""Reads back what a sink wrote, by independent means and in one form, so that it can be compared with the tables."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import pyoxigraph

from sinks import query
from tests.sinks.graphs import SCHEMA, Graph

NODE, EDGE, DOCUMENT, TYPE, VOCABULARY = (
    f"https://w3id.org/factmill/{word}" for word in ("node/", "edge/", "document/", "type/", "vocabulary#")
)
RELATIONS = {relation.iri: relation.id for relation in SCHEMA.relations}


@dataclass(frozen=True)
class Content:
    """All that a graph says: nodes and edges by id."""

    nodes: dict
    edges: dict


def content(graph: Graph, knowledge_base=lambda id: id) -> Content:
    evidence: dict[str, list] = {edge.id: [] for edge in graph.edges}
    for row in graph.evidence:
        evidence[row.edge].append(row)
    return Content(
        nodes={
            node.id: (
                node.name,
                node.type,
                frozenset(node.aliases) | {node.name},
                frozenset(map(knowledge_base, node.kb_ids)),
                node.support,
                node.mentions,
            )
            for node in graph.nodes
        },
        edges={
            edge.id: (
                edge.head,
                edge.relation,
                edge.tail,
                edge.confidence,
                edge.support,
                frozenset(row.document for row in evidence[edge.id]),
                frozenset(row.text for row in evidence[edge.id]),
            )
            for edge in graph.edges
        },
    )


class RdfReader:
    @staticmethod
    def knowledge_base(id: str) -> str:
        prefix, _, entry = id.partition(":")
        match prefix:
            case "wiki":
                return "https://en.wikipedia.org/wiki/" + quote(entry.replace(" ", "_"), safe="-._~/:(),!*;@$")
            case "mesh":
                return "http://id.nlm.nih.gov/mesh/" + quote(entry)
            case _:
                return "https://w3id.org/factmill/kb/" + quote(id, safe="-._~/:(),!*;@$")

    @staticmethod
    def read(path: Path) -> Content:
        said: dict[str, dict[str, list]] = {}
        plain = set()
        quads = list(pyoxigraph.parse(path=str(path), format=pyoxigraph.RdfFormat.N_QUADS))
        assert len(quads) == len(set(quads)), "a line comes twice"
        for quad in quads:
            assert quad.graph_name == pyoxigraph.DefaultGraph()
            if quad.predicate.value in RELATIONS:
                plain.add((quad.subject, quad.predicate, quad.object))
            else:
                word = quad.predicate.value.replace("#", "/").rsplit("/", 1)[1]
                said.setdefault(quad.subject.value, {}).setdefault(word, []).append(quad.object)
        nodes, edges, reified = {}, {}, set()
        for subject, words in said.items():
            if subject.startswith(NODE):
                name = words["label"][0].value
                nodes[subject.removeprefix(NODE)] = (
                    name,
                    unquote(words["type"][0].value.removeprefix(TYPE)),
                    frozenset(term.value for term in words.get("altLabel", [])) | {name},
                    frozenset(term.value for term in words.get("exactMatch", [])),
                    int(words["support"][0].value),
                    int(words["mentions"][0].value),
                )
            elif subject.startswith(EDGE):
                triple = words["reifies"][0]
                reified.add((triple.subject, triple.predicate, triple.object))
                edges[subject.removeprefix(EDGE)] = (
                    triple.subject.value.removeprefix(NODE),
                    RELATIONS[triple.predicate.value],
                    triple.object.value.removeprefix(NODE),
                    float(words["confidence"][0].value),
                    int(words["support"][0].value),
                    frozenset(unquote(term.value.removeprefix(DOCUMENT)) for term in words.get("wasDerivedFrom", [])),
                    frozenset(term.value for term in words.get("evidence", [])),
                )
        assert plain == reified, "every plain edge is reified and the other way round"
        return Content(nodes, edges)


class CypherReader:
    @staticmethod
    def knowledge_base(id: str) -> str:
        return id

    @staticmethod
    def read(path: Path) -> Content:
        nodes = query(
            path,
            "MATCH (n) WHERE n.type IS NOT NULL "
            "RETURN n.id, n.name, n.type, n.aliases, n.kb_ids, n.support, n.mentions",
        ).rows
        edges = query(
            path,
            "MATCH (a)-[r]->(b) RETURN r.id, a.id, type(r), b.id, r.confidence, r.support, r.documents, r.evidence",
        ).rows
        assert len({row[0] for row in nodes}) == len(nodes)
        assert len({row[0] for row in edges}) == len(edges)
        assert all(len(row[6]) == len(row[7]) for row in edges)
        relations = {relation.cypher_type: relation.id for relation in SCHEMA.relations}
        return Content(
            nodes={row[0]: (*row[1:3], frozenset(row[3]) | {row[1]}, frozenset(row[4]), *row[5:]) for row in nodes},
            edges={
                row[0]: (row[1], relations[row[2].rstrip("_")], *row[3:6], frozenset(row[6]), frozenset(row[7]))
                for row in edges
            },
        )


READERS = {"rdf": RdfReader, "cypher": CypherReader}
