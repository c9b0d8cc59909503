"""The whole merge in Beam: near duplicates count once, and the rules of the relation schema are obeyed."""

from collections import Counter, defaultdict

import apache_beam as beam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.merging.merge import MergeGraph
from pipeline.record_types import register_coders
from schemas import Edge, Entity, Evidence, Extraction, Fact, Mention, decode, encode, node_id, parse_relation_schema
from tests.pipeline.made import document

SCHEMA = """
name: family
entity_types: [P, L]
rules: {inverse: enforce, symmetric: enforce, types: enforce, functional: warn}
relations:
  - {id: father, label: father, iri: "http://example.org/1", inverse: child, max_cardinality: 1, expected: [[P, P]]}
  - {id: mother, label: mother, iri: "http://example.org/2", inverse: child, max_cardinality: 1}
  - {id: child, label: child, iri: "http://example.org/3"}
  - {id: spouse, label: spouse, iri: "http://example.org/4", symmetric: true}
  - {id: likes, label: likes, iri: "http://example.org/5"}
"""
NAMES = ("Ann", "Bob", "Cyd", "Dan", "Luton")
IDS = {name: node_id(None, name, "L" if name == "Luton" else "P") for name in NAMES}


def schema(**levels):
    made = parse_relation_schema(SCHEMA)
    return type(made)(made.name, made.entity_types, made.relations, made.rules.changed(levels))


def stated(id, *facts, text=None):
    """A document of other words than any with another id, unless a text is given, and an extraction with the facts."""
    words = text or " ".join(f"word{id}{number}" for number in range(12))
    made = document(id, " and ".join(NAMES) + f" {words}.")
    entities = tuple(
        Entity((Mention(2 * at, 2 * at + 1),), "L" if name == "Luton" else "P") for at, name in enumerate(NAMES)
    )
    found = [Fact(NAMES.index(head), relation, NAMES.index(tail), p, (0,)) for head, relation, tail, p in facts]
    return made, Extraction(id, entities, tuple(found))


def merged(extracted, relations=None, cut=0.0, **options):
    """What `Merge` gives, as sorted bytes by the name of its output."""
    register_coders()
    HEARD.clear()
    with beam.Pipeline("FnApiRunner") as pipeline:
        out = pipeline | beam.Create(list(extracted)) | MergeGraph(cut, relations or schema(), **options)
        _ = [rows | f"named {name}" >> beam.Map(hear, name) for name, rows in out.items()]
    return {name: sorted(rows) for name, rows in HEARD.items()}


HEARD = defaultdict(list)


def hear(row, name):
    HEARD[name].append(row if name == "counts" else encode(row))


class Graph:
    """The merged graph of some documents by readable names."""

    def __init__(self, extracted, relations=None, **options):
        found = defaultdict(list, merged(extracted, relations, **options))
        name_of = {id: name for name, id in IDS.items()}
        edges = [decode(data, Edge) for data in found["edges"]]
        self.key_of = {edge.id: (name_of[edge.head], edge.relation, name_of[edge.tail]) for edge in edges}
        self.edges = {self.key_of[edge.id]: edge for edge in edges}
        self.evidence = Counter(self.key_of[decode(data, Evidence).edge] for data in found["evidence"])
        self.dropped, self.rules = Counter(), Counter()
        for (stage, word), number in found["counts"]:
            {"dropped": self.dropped, "rules": self.rules}[stage][word] += number


def test_near_duplicates_count_once_and_the_surest_counts():
    copied = " ".join(f"copied{number}" for number in range(60))
    fact = ("Ann", "likes", "Bob")
    extracted = [
        stated("a", (*fact, 0.5), text=copied),
        stated("b", (*fact, 0.7), text=copied),
        stated("c", (*fact, 0.6), text=copied + " more"),
        stated("d", (*fact, 0.2)),
    ]
    edge = Graph(extracted).edges[fact]
    assert (edge.confidence, edge.support, edge.independent) == (pytest.approx(1 - 0.3 * 0.8), 4, 2)


def test_dependent_documents_count_less():
    fact = ("Ann", "likes", "Bob")
    extracted = [stated("a", (*fact, 0.5)), stated("b", (*fact, 0.75))]
    assert Graph(extracted, correlation=0.5).edges[fact].confidence == pytest.approx(1 - 0.25 * 0.5**0.5)
    assert Graph(extracted, correlation=1.0).edges[fact].confidence == 0.75


def test_implied_edges_are_derived_with_confidence_and_evidence():
    extracted = [
        stated("a", ("Ann", "father", "Bob", 0.5), ("Ann", "spouse", "Cyd", 0.25)),
        stated("b", ("Ann", "mother", "Bob", 0.5), ("Cyd", "spouse", "Ann", 0.75)),
    ]
    graph = Graph(extracted)
    child = graph.edges["Bob", "child", "Ann"]
    sources = [graph.edges["Ann", "father", "Bob"].id, graph.edges["Ann", "mother", "Bob"].id]
    assert (child.confidence, child.support, child.derived_from) == (0.75, 2, tuple(sorted(sources)))
    assert graph.evidence["Bob", "child", "Ann"] == 2
    # Each document states one of the two and implies the other: both are stated, and equally sure.
    one, other = graph.edges["Ann", "spouse", "Cyd"], graph.edges["Cyd", "spouse", "Ann"]
    assert one.confidence == other.confidence == pytest.approx(1 - 0.75 * 0.25)
    assert one.derived_from == other.derived_from == ()
    assert graph.rules == {"inverse: edges derived": 1}


def test_with_a_warning_missing_edges_are_counted_only():
    extracted = [stated("a", ("Ann", "father", "Bob", 0.5), ("Ann", "spouse", "Cyd", 0.25))]
    graph = Graph(extracted, schema(inverse="warn", symmetric="warn"))
    assert set(graph.edges) == {("Ann", "father", "Bob"), ("Ann", "spouse", "Cyd")}
    assert graph.rules == {"inverse: edges missing": 1, "symmetric: edges missing": 1}
    graph = Graph(extracted, schema(inverse="off", symmetric="off"))
    assert len(graph.edges) == 2
    assert graph.rules == {}


def test_unexpected_types():
    extracted = [stated("a", ("Ann", "father", "Luton", 0.5), ("Ann", "mother", "Luton", 0.5))]
    graph = Graph(extracted, schema(inverse="off"))
    assert set(graph.edges) == set(graph.evidence) == {("Ann", "mother", "Luton")}
    assert graph.dropped == {"edge of unexpected types": 1, "evidence of edges left out": 1}
    graph = Graph(extracted, schema(inverse="off", types="warn"))
    assert len(graph.edges) == 2
    assert graph.rules == {"types: edges of unexpected types": 1}


def test_derived_edges_go_with_what_they_follow_from():
    graph = Graph([stated("a", ("Ann", "father", "Luton", 0.5))])
    assert graph.edges == {} == graph.evidence
    assert graph.dropped["derived edge whose sources are left out"] == 1
    two = [stated("a", ("Ann", "father", "Luton", 0.5), ("Ann", "mother", "Luton", 0.5))]
    graph = Graph(two)
    assert graph.edges["Luton", "child", "Ann"].derived_from == (graph.edges["Ann", "mother", "Luton"].id,)


def test_too_many_values_are_ranked_and_marked():
    extracted = [
        stated("a", ("Ann", "father", "Bob", 0.5), ("Ann", "father", "Dan", 0.75)),
        stated("b", ("Cyd", "father", "Dan", 0.75)),
    ]
    graph = Graph(extracted, schema(inverse="off"))
    marks = {key: (edge.rank, edge.conflict) for key, edge in graph.edges.items()}
    assert marks == {
        ("Ann", "father", "Dan"): (1, True),
        ("Ann", "father", "Bob"): (2, True),
        ("Cyd", "father", "Dan"): (1, False),
    }
    assert graph.rules == {"functional: edges in conflict": 2}
    graph = Graph(extracted, schema(inverse="off", functional="enforce"))
    assert set(graph.edges) == {("Ann", "father", "Dan"), ("Cyd", "father", "Dan")}
    assert graph.dropped == {"edge beyond the cardinality": 1, "evidence of edges left out": 1}
    graph = Graph(extracted, schema(inverse="off", functional="off"))
    assert {edge.rank for edge in graph.edges.values()} == {0}


names = st.sampled_from(NAMES)
relations = st.sampled_from(["father", "mother", "child", "spouse", "likes"])
facts = st.lists(st.tuples(names, relations, names, st.sampled_from([0.2, 0.5, 0.9])), max_size=4)
texts = st.none() | st.sampled_from([" ".join(f"{name}{number}" for number in range(40)) for name in "xy"])
levels = st.fixed_dictionaries(
    {rule: st.sampled_from(["off", "warn", "enforce"]) for rule in ("inverse", "symmetric", "types", "functional")}
)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.tuples(facts, texts), min_size=1, max_size=6), levels, st.data())
def test_any_order_gives_the_same_graph(contents, levels, data):
    extracted = [stated(f"d{number}", *facts, text=text) for number, (facts, text) in enumerate(contents)]
    one = merged(extracted, schema(**levels), cut=0.3, correlation=0.25)
    other = merged(data.draw(st.permutations(extracted)), schema(**levels), cut=0.3, correlation=0.25)
    assert one == other
