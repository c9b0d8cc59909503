"""Resolution in Beam gives what the functions give, in any order, and its notes move entities to their nodes."""

from collections import Counter, defaultdict
from functools import partial, reduce

import apache_beam as beam
import pytest

from pipeline.merging.findings import findings, named_entities
from pipeline.record_types import register_coders
from pipeline.resolution import resolve
from pipeline.resolution.clustering import Match, matches, star_clusters
from pipeline.resolution.distributed_clustering import LEFT, AssignClusters
from pipeline.resolution.node_profiles import ProfileTally, profile_tallies
from pipeline.resolution.resolve import BEFORE, CUT, Block, ResolveEntities, merge_blocks
from pipeline.store.shard_updates import ShardUpdates
from pipeline.store.store import shard_of
from schemas import Extraction, Fact, encode, node_id
from tests.pipeline.made import document
from tests.pipeline.resolution.made import MODEL
from tests.rule_extractor import RuleFeatures, found_entities

SHARDS = 4
TEXTS = {
    "one": "Jose Perez met Ann Bell.",
    "two": "José Pérez met Bob. Ann Bell met Bob.",
    "three": "JOSE Pérez met Ann-Bell.",
    "four": "Jose Perez is here. Apollo 11 flew.",
    "five": "Apollo 12 flew. Ann Bell was there.",
}
LINKS = {"four": {"Jose Perez": "wiki:José Pérez"}}
HEARD = defaultdict(list)


def extracted():
    for id, text in TEXTS.items():
        made = document(id, text, LINKS.get(id))
        entities = tuple(found_entities(RuleFeatures(made, tuple(made.words()))))
        facts = (Fact(0, "with", 1),) if len(entities) > 1 else ()
        yield made, Extraction(id, entities, facts)


def plain(pairs):
    tallies = defaultdict(ProfileTally)
    for made, found in pairs:
        for id, tally in profile_tallies(made, found, named_entities(made, found)):
            tallies[id].merge(tally)
    nodes = [tally.profile(id) for id, tally in tallies.items()]
    return star_clusters({node.id: matches(node, nodes, MODEL) for node in nodes})[0]


def run(transform, items):
    register_coders()
    HEARD.clear()
    with beam.Pipeline("FnApiRunner") as pipeline:
        out = pipeline | beam.Create(items) | transform
        _ = [rows | f"named {name}" >> beam.Map(hear, name) for name, rows in out.items()]
    return {name: list(rows) for name, rows in HEARD.items()}


def hear(row, name):
    HEARD[name].append(row)


def counts(found):
    total = Counter()
    for (stage, word), number in found["counts"]:
        assert stage == "resolution"
        total[word] += number
    return total


@pytest.fixture(scope="module")
def resolved():
    return run(ResolveEntities(SHARDS, MODEL), list(extracted()))


def test_beam_joins_what_the_functions_join(resolved):
    wanted = plain(extracted())
    assert {row.id: (row.node, row.score) for row in resolved["merges"]} == {
        member: (match.centre, match.score) for member, match in wanted.items()
    }
    assert {row.name for row in resolved["merges"]} == {"Jose Perez", "José Pérez", "JOSE Pérez"}
    nodes = {entity.node for made, found in extracted() for entity in named_entities(made, found)}
    assert counts(resolved) == {BEFORE: len(nodes), "merged: same letters": 3}


def test_the_order_of_documents_does_not_matter(resolved):
    again = run(ResolveEntities(SHARDS, MODEL), list(extracted())[::-1])
    assert sorted(map(encode, again["merges"])) == sorted(map(encode, resolved["merges"]))
    assert sorted((shard, encode(note)) for shard, note in again["updates"]) == sorted(
        (shard, encode(note)) for shard, note in resolved["updates"]
    )


def test_notes_move_entities(resolved):
    perez = node_id("wiki:José Pérez", "", "")
    ids = set()
    for made, found in extracted():
        notes = [note for shard, note in resolved["updates"] if shard == shard_of(made.id, SHARDS)]
        _, moved = ShardUpdates.of(notes).apply(made, found, ())
        named = named_entities(made, moved)
        ids.update(entity.node for entity in named)
        nodes = {node.id: node for node in findings(made, moved).nodes}
        if made.id in ("one", "two", "three", "four"):
            assert perez in nodes
        assert len(nodes) <= len(found.entities)
    assert not ids & {row.id for row in resolved["merges"]}
    assert {row.node for row in resolved["merges"]} <= ids


def test_large_blocks_are_cut_and_counted(monkeypatch):
    monkeypatch.setattr(resolve, "LARGEST", 1)
    found = run(ResolveEntities(SHARDS, MODEL), list(extracted()))
    assert "merges" not in found
    assert counts(found)[CUT] > 0


def test_the_first_cards_of_a_block_stay_in_any_order():
    cards = [
        resolve.BlockingRecord(str(number), "x", "PER", "wiki:x" if number == 7 else "", number % 4)
        for number in range(9)
    ]

    def block(cards):
        return reduce(partial(merge_blocks, 3), (Block(1, [card]) for card in cards))

    whole, parts = block(cards), merge_blocks(3, block(cards[4:]), block(cards[:4]))
    assert whole == parts
    assert (whole.nodes, [card.id for card in whole.records]) == (9, ["7", "3", "2"])


def test_settling_in_beam_is_settling_at_once():
    def match(member, centre, score=0.95):
        return Match(member, centre, member, "PER", 1, (), score, "alias", ())

    chain = [match(chr(ord("b") + number), chr(ord("a") + number)) for number in range(9)]
    wanted = [*chain, match("x", "b"), match("x", "a", 0.9), match("x", "c", 0.91)]
    by_member = defaultdict(list)
    for one in sorted(wanted, key=lambda match: -match.score):
        by_member[one.member].append(one)
    merge_blocks, left = star_clusters(by_member, iterations=3)
    found = run(AssignClusters(SHARDS, 3), [(one.member, one) for one in wanted])
    assert {one.member: one for one in found["joined"]} == merge_blocks
    assert found["left"] == [LEFT] * left
    assert left > 0
