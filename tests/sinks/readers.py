"""Reads back what a sink wrote, by independent means and in one form, so that it can be compared with the tables."""

import csv
import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph

from sinks import query
from tests.sinks.graphs import SCHEMA, Graph

NODE, EDGE, EVIDENCE, DOCUMENT, TYPE, METADATA = (
    f"https://w3id.org/factmill/{word}/" for word in ("node", "edge", "evidence", "document", "type", "metadata")
)
PREDICATES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
    "http://www.w3.org/2004/02/skos/core#": "skos",
    "http://purl.org/dc/terms/": "dcterms",
    "http://www.w3.org/ns/prov#": "prov",
    "http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#": "nif",
    "https://w3id.org/factmill/vocabulary#": "fm",
    METADATA: "metadata",
}
RELATIONS = {relation.iri: relation.id for relation in SCHEMA.relations}
CLAIMS, VALUES = ({iri.replace("/direct/", part): id for iri, id in RELATIONS.items()} for part in ("/", "/statement/"))
FORMATS = {
    "nq": pyoxigraph.RdfFormat.N_QUADS,
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "trig": pyoxigraph.RdfFormat.TRIG,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}


@dataclass(frozen=True)
class Content:
    """All that a graph says: nodes and edges by id; evidence and documents where a format has them in full."""

    nodes: dict
    edges: dict
    evidence: set | None = None
    documents: dict | None = None

    def check(self, wanted: "Content") -> None:
        assert self.nodes == wanted.nodes
        assert self.edges == wanted.edges
        assert self.evidence in (None, wanted.evidence)
        assert self.documents in (None, wanted.documents)


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
                *(edge.independent, frozenset(edge.derived_from), edge.conflict, edge.rank),
            )
            for edge in graph.edges
        },
        evidence={
            (
                *(row.edge, row.document, row.sentence, row.start, row.end, row.text, row.probability),
                *(frozenset(row.head_spans), frozenset(row.tail_spans)),
            )
            for row in graph.evidence
        },
        documents={
            row.id: (
                *(row.source, row.title, row.tokens, row.sentences, row.entities, row.facts, row.version),
                frozenset(row.metadata),
            )
            for row in graph.documents
        },
    )


@cache
def shortened(iri: str) -> str:
    """A predicate with its prefix, if it is one of ours."""
    return next((name + ":" + iri[len(base) :] for base, name in PREDICATES.items() if iri.startswith(base)), iri)


class RdfReader:
    """Any syntax and version, by Oxigraph."""

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
    def quads(path: Path) -> list[pyoxigraph.Quad]:
        """All that stands in the file, or in the files of the folder."""
        found = []
        for file in sorted(path.glob("graph*")) if path.is_dir() else [path]:
            data = file.read_bytes()
            if file.suffix == ".gz":
                data = gzip.decompress(data)
            elif file.suffix == ".zst":
                data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
            (suffix,) = [suffix for suffix in file.suffixes if suffix[1:] in FORMATS]
            found += pyoxigraph.parse(data, format=FORMATS[suffix[1:]])
        return found

    @classmethod
    def read(cls, path: Path) -> Content:
        said: dict[str, dict[str, list]] = {}
        plain = set()
        quads = cls.quads(path)
        assert len(quads) == len(set(quads)), "a statement comes twice"
        for quad in quads:
            assert quad.graph_name == pyoxigraph.DefaultGraph()
            if quad.predicate.value in RELATIONS:
                plain.add((quad.subject, quad.predicate, quad.object))
            else:
                said.setdefault(quad.subject.value, {}).setdefault(shortened(quad.predicate.value), []).append(
                    quad.object
                )
        nodes, edges, evidence, documents, stated = {}, {}, set(), {}, set()
        claimed = {}
        for subject, words in said.items():
            for predicate in words.keys() & CLAIMS.keys():
                claimed.update(dict.fromkeys(words[predicate], (subject, predicate)))
        for subject, words in said.items():

            def text(word, words=words) -> str:
                (term,) = words[word]
                return term.value

            def texts(word, words=words) -> frozenset:
                return frozenset(term.value for term in words.get(word, []))

            if subject.startswith(NODE):
                nodes[subject.removeprefix(NODE)] = (
                    text("rdfs:label"),
                    unquote(text("rdf:type").removeprefix(TYPE)),
                    texts("skos:altLabel") | {text("rdfs:label")},
                    texts("skos:exactMatch"),
                    int(text("fm:support")),
                    int(text("fm:mentions")),
                )
            elif subject.startswith(EDGE):
                if "rdf:reifies" in words:
                    (triple,) = words["rdf:reifies"]
                    head, relation, tail = triple.subject.value, RELATIONS[triple.predicate.value], triple.object.value
                else:
                    head, claim = claimed[pyoxigraph.NamedNode(subject)]
                    (value,) = words.keys() & VALUES.keys()
                    relation, tail = VALUES[value], text(value)
                    assert CLAIMS[claim] == relation
                iri = next(iri for iri, id in RELATIONS.items() if id == relation)
                stated.add(tuple(map(pyoxigraph.NamedNode, (head, iri, tail))))
                edges[subject.removeprefix(EDGE)] = (
                    head.removeprefix(NODE),
                    relation,
                    tail.removeprefix(NODE),
                    float(text("fm:confidence")),
                    int(text("fm:support")),
                    frozenset(unquote(iri.removeprefix(DOCUMENT)) for iri in texts("prov:wasDerivedFrom")),
                    frozenset(said[iri]["nif:anchorOf"][0].value for iri in texts("fm:evidence")),
                    int(text("fm:independent")),
                    frozenset(iri.removeprefix(EDGE) for iri in texts("fm:derivedFrom")),
                    {"true": True, "false": False}[text("fm:conflict")],
                    int(text("fm:rank")),
                )
                for iri in texts("fm:evidence"):
                    evidence.add((subject.removeprefix(EDGE), *cls.evidence(said[iri])))
            elif subject.startswith(DOCUMENT):
                numbers = (int(text(f"fm:{word}")) for word in ("tokens", "sentences", "entities", "facts", "version"))
                told = {
                    (unquote(word.partition(":")[2]), value)
                    for word in words
                    if word.startswith("metadata:")
                    for value in texts(word)
                }
                own = (text("dcterms:source"), text("dcterms:title"), *numbers, frozenset(told))
                documents[unquote(subject.removeprefix(DOCUMENT))] = own
        assert plain == stated, "every plain edge has its statement and the other way round"
        assert len(evidence) == sum(subject.startswith(EVIDENCE) for subject in said)
        return Content(nodes, edges, evidence, documents)

    @staticmethod
    def evidence(words) -> tuple:
        (document,) = words["nif:referenceContext"]

        def spans(word) -> frozenset:
            places = [term.value.removeprefix(f"{document.value}#char=") for term in words.get(word, [])]
            return frozenset(tuple(map(int, place.split(","))) for place in places)

        return (
            unquote(document.value.removeprefix(DOCUMENT)),
            *(int(words[word][0].value) for word in ("fm:sentence", "nif:beginIndex", "nif:endIndex")),
            words["nif:anchorOf"][0].value,
            float(words["fm:probability"][0].value),
            spans("fm:head"),
            spans("fm:tail"),
        )


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
            "MATCH (a)-[r]->(b) RETURN r.id, a.id, type(r), b.id, r.confidence, r.support, r.documents, r.evidence, "
            "r.independent, r.derived_from, r.conflict, r.rank",
        ).rows
        assert len({row[0] for row in nodes}) == len(nodes)
        assert len({row[0] for row in edges}) == len(edges)
        assert all(len(row[6]) == len(row[7]) for row in edges)
        relations = {relation.cypher_type: relation.id for relation in SCHEMA.relations}
        return Content(
            nodes={row[0]: (*row[1:3], frozenset(row[3]) | {row[1]}, frozenset(row[4]), *row[5:]) for row in nodes},
            edges={
                row[0]: (
                    *(row[1], relations[row[2].rstrip("_")], *row[3:6], frozenset(row[6]), frozenset(row[7])),
                    *(row[8], frozenset(row[9]), *row[10:]),
                )
                for row in edges
            },
        )


class NetworkxReader:
    """What networkx itself reads: GraphML, GEXF and node-link JSON."""

    @staticmethod
    def knowledge_base(id: str) -> str:
        return id

    @classmethod
    def read(cls, path: Path) -> Content:
        match path.suffix:
            case ".graphml":
                graph, text = nx.read_graphml(path, force_multigraph=True), cls.unescaped
            case ".gexf":
                graph, text = nx.read_gexf(path), cls.unescaped
            case ".json":
                graph, text = nx.node_link_graph(json.loads(path.read_text("utf-8")), edges="edges"), lambda text: text
        assert graph.is_directed()
        graph = nx.MultiDiGraph(graph)

        def items(value) -> frozenset:
            return frozenset(value if isinstance(value, list) else json.loads(text(value)))

        labels = {relation.id: relation.label for relation in SCHEMA.relations}
        edges = {}
        for head, tail, key, edge in graph.edges(keys=True, data=True):
            assert edge["label"] == labels[edge["relation"]]
            edges[edge.get("id", key)] = (
                head,
                edge["relation"],
                tail,
                edge["confidence"],
                edge["support"],
                items(edge["documents"]),
                items(edge["evidence"]),
                *(edge["independent"], items(edge["derived_from"]), edge["conflict"], edge["rank"]),
            )
        nodes = {
            id: (
                text(node["name"] or ""),
                text(node["type"] or ""),
                items(node["aliases"]) | {text(node["name"] or "")},
                items(node["kb_ids"]),
                node["support"],
                node["mentions"],
            )
            for id, node in graph.nodes(data=True)
        }
        return Content(nodes, edges)

    @staticmethod
    def unescaped(text: str) -> str:
        return re.sub(r"\\u([0-9A-F]{4})", lambda match: chr(int(match[1], 16)), text)


class CsvReader:
    @staticmethod
    def knowledge_base(id: str) -> str:
        return id

    @staticmethod
    def rows(path: Path) -> list[dict]:
        csv.field_size_limit(1 << 30)
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    @classmethod
    def read(cls, path: Path) -> Content:
        assert sorted(item.name for item in path.iterdir() if not item.name.startswith(".")) == sorted(
            f"{name}.csv" for name in ("nodes", "edges", "evidence", "documents")
        )
        evidence = set()
        documents: dict[str, set] = {}
        texts: dict[str, set] = {}
        for row in cls.rows(path / "evidence.csv"):
            spans = [
                frozenset((s["start"], s["end"]) for s in json.loads(row[f"{end}_spans"])) for end in ("head", "tail")
            ]
            numbers = [int(row[name]) for name in ("sentence", "start", "end")]
            evidence.add((row["edge"], row["document"], *numbers, row["text"], float(row["probability"]), *spans))
            documents.setdefault(row["edge"], set()).add(row["document"])
            texts.setdefault(row["edge"], set()).add(row["text"])
        return Content(
            nodes={
                row["id"]: (
                    row["name"],
                    row["type"],
                    frozenset(json.loads(row["aliases"])) | {row["name"]},
                    frozenset(json.loads(row["kb_ids"])),
                    int(row["support"]),
                    int(row["mentions"]),
                )
                for row in cls.rows(path / "nodes.csv")
            },
            edges={
                row["id"]: (
                    *(row[name] for name in ("head", "relation", "tail")),
                    float(row["confidence"]),
                    int(row["support"]),
                    frozenset(documents.get(row["id"], ())),
                    frozenset(texts.get(row["id"], ())),
                    int(row["independent"]),
                    frozenset(json.loads(row["derived_from"])),
                    {"true": True, "false": False}[row["conflict"]],
                    int(row["rank"]),
                )
                for row in cls.rows(path / "edges.csv")
            },
            evidence=evidence,
            documents={
                row["id"]: (
                    row["source"],
                    row["title"],
                    *(int(row[name]) for name in ("tokens", "sentences", "entities", "facts", "version")),
                    frozenset((pair["key"], pair["value"]) for pair in json.loads(row["metadata"])),
                )
                for row in cls.rows(path / "documents.csv")
            },
        )


class Neo4jImportReader:
    """Takes the files as the import tool does: kinds from the header, lists cut at the character of the command."""

    @staticmethod
    def knowledge_base(id: str) -> str:
        return id

    @staticmethod
    def rows(path: Path, name: str) -> list[dict]:
        if (path / f"{name}.parquet").exists():
            return [
                {column.partition(":")[0] or column: value for column, value in row.items()}
                for row in pq.read_table(path / f"{name}.parquet").to_pylist()
            ]
        cut = chr(int(re.search(r"--array-delimiter=U\+(\w+)", (path / "import.sh").read_text())[1], 16))
        kinds = {"string[]": lambda text: text.split(cut) if text else [], "long": int, "double": float}
        kinds["boolean"] = "true".__eq__
        with (path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return [
                {
                    column.partition(":")[0] or column: kinds.get(column.partition(":")[2], str)(value)
                    for column, value in row.items()
                }
                for row in csv.DictReader(file)
            ]

    @classmethod
    def read(cls, path: Path) -> Content:
        nodes, edges = cls.rows(path, "nodes"), cls.rows(path, "edges")
        relations = {relation.cypher_type: relation.id for relation in SCHEMA.relations}
        kept = ("name", "type", "aliases", "kb_ids", "support", "mentions")
        return Content(
            nodes={
                row["id"]: tuple(frozenset(row[name]) if isinstance(row[name], list) else row[name] for name in kept)
                for row in nodes
            },
            edges={
                row["id"]: (
                    row[":START_ID(node)"],
                    relations[row[":TYPE"].rstrip("_")],
                    row[":END_ID(node)"],
                    row["confidence"],
                    row["support"],
                    frozenset(row["documents"]),
                    frozenset(row["evidence"]),
                    *(row["independent"], frozenset(row["derived_from"]), row["conflict"], row["rank"]),
                )
                for row in edges
            },
        )


READERS = {
    **dict.fromkeys(("rdf", "ntriples", "turtle", "trig", "jsonld"), RdfReader),
    "cypher": CypherReader,
    **dict.fromkeys(("graphml", "gexf", "node-link"), NetworkxReader),
    "csv": CsvReader,
    **dict.fromkeys(("neo4j-csv", "neo4j-parquet"), Neo4jImportReader),
}
