"""Finds an entity by any of its names, with its facts and the sentences that state them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process, utils

from schemas import Node, RelationSchema
from sinks.tables.tables import GraphTables, TableError, to_records
from sinks.writer import relation_of


@dataclass(frozen=True)
class Sentence:
    """A sentence that states a fact; `head_spans` and `tail_spans` are (start, end) characters of `text`."""

    document: str
    title: str
    text: str
    head_spans: tuple[tuple[int, int], ...]
    tail_spans: tuple[tuple[int, int], ...]
    probability: float


@dataclass(frozen=True)
class FactView:
    """A fact about a node: `outgoing` if the node is its head; then `other` is its tail."""

    id: str
    relation: str
    label: str
    outgoing: bool
    other: Node
    confidence: float
    support: int
    evidence: tuple[Sentence, ...]


@dataclass(frozen=True)
class NodeView:
    """A node with its facts, the most confident first."""

    node: Node
    facts: tuple[FactView, ...]


@dataclass(frozen=True)
class MergedView:
    """A name that resolution merged into a node: probability, reason, and the titles of documents that use it."""

    name: str
    type: str
    support: int
    score: float
    reason: str
    features: dict[str, float]
    documents: tuple[str, ...]


@dataclass(frozen=True)
class LinkedView:
    """A name that was linked to a node.

    Attributes:
        name: the name.
        entities: the number of linked entities of this name, each in one document.
        least, most: lowest and highest probability of these links.
        source: the strongest evidence.
        features: the features behind the highest probability.
        others: (knowledge-base id, probability) of the alternatives to the least probable link.
        documents: titles of the documents.
    """

    name: str
    entities: int
    least: float
    most: float
    source: str
    features: dict[str, float]
    others: tuple[tuple[str, float], ...]
    documents: tuple[str, ...]


def find(tables: GraphTables, name: str) -> list[Node]:
    """Return the nodes with a name, those in most documents first; an empty list if there are none.

    The best kind of match wins: the id or a knowledge-base id, then the name, then an alias, then a name or alias that
    is equal after normalisation (case, Unicode form, white space).
    """
    found: dict[int, list[Node]] = {}
    for batch in tables.batches("nodes"):
        for rank, matches in enumerate(_matches(batch, name)):
            if pc.any(matches).as_py():
                found.setdefault(rank, []).extend(to_records(pa.Table.from_batches([batch]).filter(matches), Node))
            if rank in found:
                break
    best = found[min(found)] if found else []
    return sorted(best, key=lambda node: (-node.support, node.id))


def _matches(nodes: pa.RecordBatch, name: str) -> Iterator[pa.Array]:
    """Yield the nodes that match the name, for each kind of match, the strictest first."""
    names, kb_ids, aliases = (nodes.column(column) for column in ("name", "kb_ids", "aliases"))
    yield pc.or_(pc.equal(nodes.column("id"), name), _any(pc.equal(kb_ids.flatten(), name), kb_ids))
    yield pc.equal(names, name)
    yield _any(pc.equal(aliases.flatten(), name), aliases)
    wanted = _normalised(pa.array([name]))[0]
    alike = _any(pc.equal(_normalised(aliases.flatten()), wanted), aliases)
    yield pc.or_(pc.equal(_normalised(names), wanted), alike)


def suggest(tables: GraphTables, name: str, limit: int = 5) -> list[str]:
    """Return the names in the graph that are most similar to `name`, the most similar first."""
    best: list[tuple[str, float]] = []
    for batch in tables.batches("nodes", ("name",)):
        names = batch.column("name").unique().to_pylist()
        close = process.extract(name, names, processor=utils.default_process, limit=limit, score_cutoff=50)
        best += [(found, score) for found, score, _ in close]
        best = sorted(dict(best).items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [found for found, _ in best]


def describe(tables: GraphTables, node: Node, schema: RelationSchema) -> NodeView:
    """Return a node with all its facts in both directions and their evidence.

    Memory holds the required rows only.

    Raises:
        TableError: a table is missing or incomplete, or the graph was built with another relation schema.
    """
    edges = tables.read("edges", where=(pc.field("head") == node.id) | (pc.field("tail") == node.id)).to_pylist()
    ends = {edge[end] for edge in edges for end in ("head", "tail")}
    nodes = {other.id: other for other in to_records(tables.read("nodes", where=_among("id", ends)), Node)}
    for edge in edges:
        if missing := {edge["head"], edge["tail"]} - nodes.keys():
            raise TableError(
                f"the edge '{edge['id']}' ends at '{missing.pop()}', which the nodes lack: build the tables again"
            )
    evidence = _evidence(tables, {edge["id"] for edge in edges})
    facts = [
        FactView(
            id=edge["id"],
            relation=edge["relation"],
            label=relation_of(schema, edge["relation"]).label,
            outgoing=edge["head"] == node.id,
            other=nodes[edge["tail"] if edge["head"] == node.id else edge["head"]],
            confidence=edge["confidence"],
            support=edge["support"],
            evidence=tuple(evidence[edge["id"]]),
        )
        for edge in edges
    ]
    return NodeView(node, tuple(sorted(facts, key=lambda fact: (-fact.confidence, fact.label, fact.id))))


def merged_names(tables: GraphTables, node: Node) -> tuple[MergedView, ...]:
    """Return the names that resolution merged into a node, the most probable first.

    Raises:
        TableError: the table `merges` is missing or incomplete.
    """
    rows = tables.read("merges", where=pc.field("node") == node.id).to_pylist()
    titles = _titles(tables, {document for row in rows for document in row["documents"]})
    views = [
        MergedView(
            name=row["name"],
            type=row["type"],
            support=row["support"],
            score=row["score"],
            reason=row["reason"],
            features={feature["name"]: feature["value"] for feature in row["features"]},
            documents=tuple(titles.get(document, document) for document in row["documents"]),
        )
        for row in rows
    ]
    return tuple(sorted(views, key=lambda view: (-view.score, view.name, view.type)))


def linked_names(tables: GraphTables, node: Node) -> tuple[LinkedView, ...]:
    """Return the names that were linked to a node, the most frequent first.

    Raises:
        TableError: the table `links` is missing or incomplete.
    """
    rows = tables.read("links", where=_among("target", set(node.kb_ids))).to_pylist()
    titles = _titles(tables, {row["document"] for row in rows})
    by_name: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (-row["probability"], row["document"], row["start"])):
        by_name[row["name"]].append(row)
    views = [
        LinkedView(
            name=name,
            entities=len(group),
            least=group[-1]["probability"],
            most=group[0]["probability"],
            source=group[0]["source"],
            features={feature["name"]: feature["value"] for feature in group[0]["features"]},
            others=tuple((other["id"], other["probability"]) for other in group[-1]["others"]),
            documents=tuple(dict.fromkeys(titles.get(row["document"], row["document"]) for row in group)),
        )
        for name, group in by_name.items()
    ]
    return tuple(sorted(views, key=lambda view: (-view.entities, view.name)))


def _titles(tables: GraphTables, documents: set[str]) -> dict[str, str]:
    columns = tables.read("documents", ("id", "title"), _among("id", documents)).to_pydict()
    return dict(zip(*columns.values(), strict=True))


def _evidence(tables: GraphTables, edges: set[str]) -> dict[str, list[Sentence]]:
    rows = tables.read("evidence", where=_among("edge", edges)).to_pylist()
    titles = _titles(tables, {row["document"] for row in rows})
    sentences: dict[str, list[Sentence]] = defaultdict(list)
    for row in rows:
        head, tail = (
            tuple((span["start"] - row["start"], span["end"] - row["start"]) for span in row[end])
            for end in ("head_spans", "tail_spans")
        )
        title = titles.get(row["document"], row["document"])
        sentences[row["edge"]].append(Sentence(row["document"], title, row["text"], head, tail, row["probability"]))
    return sentences


def _among(column: str, values: set[str]) -> pc.Expression:
    return pc.field(column).isin(pa.array(sorted(values), pa.string()))


def _any(hits: pa.Array, lists: pa.Array) -> pa.Array:
    """Return for each list whether one of its values is a hit; `hits` has a flag per value."""
    rows = pc.list_parent_indices(lists).filter(hits)
    return pc.is_in(pa.array(range(len(lists)), rows.type), value_set=rows)


def _normalised(names: pa.Array) -> pa.Array:
    """Return names normalised like `schemas.normalise_name`, but lower-cased instead of case-folded."""
    lower = pc.utf8_lower(pc.utf8_normalize(names, form="NFKC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"\s+", " "))
