from collections import defaultdict
from functools import reduce
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.merging.findings import EdgeTally, NodeTally, closest_sentences, findings
from schemas import Entity, Extraction, Fact, Mention, decode, edge_id, encode, node_id
from tests.pipeline.made import document
from tests.rule_extractor import RuleExtractor

TEXT = "Alice knows Bob. Alice is old. Carol is in Luton. Bob is in Luton."
ALICE, BOB, CAROL, LUTON = (node_id(None, name, type) for name, type in
    [("Alice", "P"), ("Bob", "P"), ("Carol", "P"), ("Luton", "L")])  # fmt: skip


def extraction(*facts):
    entities = (
        Entity((Mention(0, 1), Mention(4, 5)), "P"),
        Entity((Mention(2, 3), Mention(13, 14)), "P"),
        Entity((Mention(8, 9),), "P"),
        Entity((Mention(11, 12), Mention(16, 17)), "L"),
    )
    return Extraction("d", entities, facts)


def test_tokens_of_the_sample_are_as_the_tests_take_them():
    made = document("d", TEXT)
    words = [made.span_text(m.start, m.end) for entity in extraction().entities for m in entity.mentions]
    assert words == ["Alice", "Alice", "Bob", "Bob", "Carol", "Luton", "Luton"]


def test_a_document_gives_nodes_edges_and_evidence_with_offsets():
    found = findings(document("d", TEXT), extraction(Fact(0, "knows", 1, 0.75, (0,))))
    assert {node.id: (node.name, node.mentions) for node in found.nodes} == {
        ALICE: ("Alice", 2), BOB: ("Bob", 2), CAROL: ("Carol", 1), LUTON: ("Luton", 2)}  # fmt: skip
    (edge,) = found.edges
    assert (edge.id, edge.head, edge.tail, edge.probability) == (edge_id(ALICE, "knows", BOB), ALICE, BOB, 0.75)
    (row,) = found.evidence
    assert (row.text, row.sentence, row.head_spans, row.tail_spans) == ("Alice knows Bob.", 0, ((0, 5),), ((12, 15),))
    assert TEXT[row.start : row.end] == row.text


def test_a_fact_without_evidence_points_to_where_its_ends_are_closest():
    made = document("d", TEXT)
    found = findings(made, extraction(Fact(1, "lives in", 3), Fact(0, "near", 2)))
    assert {row.edge: [] for row in found.evidence}.keys() == {edge.id for edge in found.edges}
    by_edge = defaultdict(list)
    for row in found.evidence:
        by_edge[row.edge].append(row.sentence)
    assert by_edge[edge_id(BOB, "lives in", LUTON)] == [3]
    assert by_edge[edge_id(ALICE, "near", CAROL)] == [1, 2]


def test_of_two_close_places_the_first_counts():
    made = document("d", "A met B. A met B.")
    assert closest_sentences(made, [Mention(0, 1), Mention(4, 5)], [Mention(2, 3), Mention(6, 7)]) == (0,)


def test_entities_of_one_document_that_share_a_node_count_once_and_their_facts_are_no_edges():
    made = document("d", "Bob met Bob. Bob likes tea.")
    entities = (Entity((Mention(0, 1),), "P"), Entity((Mention(2, 3), Mention(4, 5)), "P"))
    found = findings(made, Extraction("d", entities, (Fact(0, "met", 1),)))
    (node,) = found.nodes
    assert (node.mentions, found.edges, found.self_loops) == (3, (), 1)


def test_the_best_of_several_facts_of_one_edge_counts_and_evidence_adds_up():
    made = document("d", "Bob met Ann. Bob met Ann.")
    entities = tuple(Entity((Mention(at, at + 1),), "P") for at in (0, 2, 4, 6))
    found = findings(made, Extraction("d", entities, (Fact(0, "met", 1, 0.2, (0,)), Fact(2, "met", 3, 0.6, (1,)))))
    (edge,) = found.edges
    assert edge.probability == 0.6
    assert [(row.sentence, row.probability) for row in found.evidence] == [(0, 0.6), (1, 0.6)]


def test_no_entities_give_nothing():
    found = findings(document("d", ""), Extraction("d", (), ()))
    assert (found.nodes, found.edges, found.evidence) == ((), (), ())


def test_a_fact_is_as_sure_as_the_links_of_its_ends():
    sure = (0.5, 0.8, 1.0, 1.0)
    entities = tuple(replace(e, link_probability=p) for e, p in zip(extraction().entities, sure, strict=True))
    found = findings(document("d", TEXT), Extraction("d", entities, (Fact(0, "knows", 1, 0.75, (0,)),)))
    assert [edge.probability for edge in found.edges] == [row.probability for row in found.evidence] == [0.3]


def test_facts_imply_others_with_their_evidence():
    implied = {"knows": ("knows",), "father": ("child",)}
    facts = [Fact(0, "knows", 1, 0.75, (0,)), Fact(1, "knows", 0, 0.25, (3,)), Fact(0, "knows", 2, 0.5, (1,)),
             Fact(0, "father", 1, 0.875, (1,)), Fact(1, "child", 0, 0.125, (2,))]  # fmt: skip
    found = findings(document("d", TEXT), extraction(*facts), implied)
    edges = {(edge.head, edge.relation, edge.tail): edge for edge in found.edges}
    probabilities = {key: edge.probability for key, edge in edges.items()}
    assert probabilities == {
        (ALICE, "knows", BOB): 0.5,  # each implies the other: the mean
        (BOB, "knows", ALICE): 0.5,
        (ALICE, "knows", CAROL): 0.5,
        (CAROL, "knows", ALICE): 0.5,
        (ALICE, "father", BOB): 0.875,
        (BOB, "child", ALICE): 0.875,  # implied, but implies nothing: the higher
    }
    derived = {key: edge.derived_from for key, edge in edges.items() if edge.derived_from}
    assert derived == {(CAROL, "knows", ALICE): (edge_id(ALICE, "knows", CAROL),)}
    evidence = {id: {row.sentence for row in found.evidence if row.edge == id} for id in edges_of(found.evidence)}
    assert evidence[edge_id(BOB, "child", ALICE)] == {1, 2}
    (row,) = [row for row in found.evidence if row.edge == edge_id(CAROL, "knows", ALICE)]
    assert (row.head_spans, row.tail_spans) == ((), ((17, 22),))


def edges_of(rows):
    return {row.edge for row in rows}


def sum_of(probabilities):
    return reduce(EdgeTally.with_independent, map(EdgeTally.of, probabilities))


@given(st.lists(st.floats(0, 1).map(lambda p: round(p, 6)), min_size=1, max_size=30))
def test_confidence_is_the_noisy_or(probabilities):
    edge = sum_of(probabilities).edge("e", "h", "r", "t")
    assert edge.support == edge.independent == len(probabilities)
    assert edge.confidence == pytest.approx(1 - prod(1 - p for p in probabilities), abs=1e-6)


@given(st.lists(st.floats(0, 0.99), min_size=1, max_size=30), st.floats(0, 1))
def test_with_a_correlation_all_but_the_surest_document_count_less(probabilities, correlation):
    edge = sum_of(probabilities).edge("e", "h", "r", "t", correlation)
    *others, surest = sorted(probabilities)
    expected = 1 - (1 - surest) * prod(1 - p for p in others) ** (1 - correlation)
    assert edge.confidence == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_near_duplicates_count_as_the_surest_of_them(probabilities):
    tally = reduce(EdgeTally.with_duplicate, map(EdgeTally.of, probabilities))
    edge = tally.edge("e", "h", "r", "t")
    assert (edge.support, edge.independent) == (len(probabilities), 1)
    assert edge.confidence == pytest.approx(max(probabilities), abs=1e-6)


def test_one_document_gives_its_own_probability():
    for millionths in range(0, 1_000_001, 997):
        assert EdgeTally.of(millionths / 1e6).edge("e", "h", "r", "t").confidence == millionths / 1e6


def test_a_sum_of_any_size_can_be_stored():
    tally = EdgeTally.of(1.0)
    for _ in range(40):
        tally = tally.with_independent(tally)
    assert decode(encode(tally), EdgeTally) == tally
    assert tally.edge("e", "h", "r", "t", 0.9).confidence == 1.0


names = st.sampled_from(["Alice", "Bob Jones", "Carol", "England", "Luton", "Old Bridge", "it", "rain"])
sentence = st.builds(lambda a, verb, b: f"{a} {verb} {b}. ", names, st.sampled_from(["is in", "met", "and"]), names)
texts = st.lists(st.lists(sentence, max_size=5).map("".join), min_size=1, max_size=12)


def merged(shards):
    """The graph of shards of documents, summed in each shard first and then over the shards."""
    nodes, edges = defaultdict(list), defaultdict(list)
    for shard in shards:
        node_sums, edge_sums = defaultdict(NodeTally), defaultdict(list)
        for made, found in shard:
            assert all(row.document == made.id for row in found.evidence)
            for node in found.nodes:
                node_sums[node.id].add(node)
            for edge in found.edges:
                key = (edge.id, edge.head, edge.relation, edge.tail)
                edge_sums[key].append(EdgeTally.of(edge.probability, edge.derived_from))
        for id, tally in node_sums.items():
            nodes[id].append(tally)
        for key, tallies in edge_sums.items():
            edges[key].append(reduce(EdgeTally.with_independent, tallies))
    return (
        {id: sum_of_nodes(tallies).node(id) for id, tallies in nodes.items()},
        {key: reduce(EdgeTally.with_independent, tallies).edge(*key, 0.25) for key, tallies in edges.items()},
    )


def sum_of_nodes(tallies):
    total = NodeTally()
    for tally in tallies:
        total.merge(tally)
    return total


@settings(max_examples=150, deadline=None)
@given(texts, st.data())
def test_any_order_and_sharding_of_documents_gives_the_same_graph(texts, data):
    extractor = RuleExtractor()
    found = []
    for number, text in enumerate(texts):
        made = document(f"d{number}", text)
        found.append(
            (
                made,
                findings(made, extractor.extract([extractor.featurize(made)])[0], {"with": ("with",), "in": ("with",)}),
            )
        )
    shuffled = data.draw(st.permutations(found))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(found)), max_size=4)))
    shards = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(found)], strict=True)]
    assert merged(shards) == merged([found])


def test_an_entity_that_was_resolved_goes_to_its_node_and_the_page_keeps_its_title():
    carol, made = node_id("wiki:Caroline", "", ""), document("d", TEXT)
    found = extraction(Fact(2, "in", 3, 0.5, (2,)))
    linked = replace(
        found, entities=(*found.entities[:2], replace(found.entities[2], kb_ids=("wiki:Caroline",)), found.entities[3])
    )
    moved = replace(found, nodes=("", "", carol, ""))
    tally = NodeTally()
    for extracted in (moved, linked, moved):
        (edge,) = findings(made, extracted).edges
        assert (edge.head, edge.tail) == (carol, LUTON)
        tally.add(next(node for node in findings(made, extracted).nodes if node.id == carol))
    node = tally.node(carol)
    assert (node.name, node.aliases, node.kb_ids) == ("Caroline", ("Carol", "Caroline"), ("wiki:Caroline",))
    assert node.support == 3
