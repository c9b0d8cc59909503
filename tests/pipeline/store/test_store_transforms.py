import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.record_types import register_coders
from pipeline.store.shard_updates import LINK, REDIRECT, ShardUpdate, ShardUpdates
from pipeline.store.store import Store, complete, extracted_row, other_row, shard_name, shard_of, write_shard
from pipeline.store.store_transforms import ReadStore, RedirectUpdates
from schemas import DeadLetter, Entity, Extraction, Mention, Redirect
from tests.pipeline.made import document

UK = Entity((Mention(0, 1, None, ("wiki:UK",)),), "P", ("wiki:UK",))
BOB = Entity((Mention(2, 3),), "P")
MADE = {
    id: (document(id, "UK met Bob.", {"UK": "wiki:UK"}), Extraction(id, (UK, BOB), ())) for id in ("a", "b", "c", "d")
}
LETTER = DeadLetter("e", "f", "read", "torn")
SHARDS = 4


@pytest.fixture
def store(tmp_path):
    rows = [extracted_row(*item) for item in MADE.values()]
    rows += [other_row(Redirect("wiki:UK", "wiki:U.K.", "f")), other_row(Redirect("wiki:U.K.", "wiki:Kingdom", "f"))]
    rows.append(other_row(LETTER))
    for number in range(SHARDS):
        here = [row for row in rows if shard_of(row.id, SHARDS) == number]
        write_shard(here, tmp_path / shard_name(number, SHARDS))
    return Store(tmp_path, complete(tmp_path, {}, "0"))


def test_redirects_and_links_are_put_into_the_documents_they_are_about(store):
    register_coders()
    link = ShardUpdate(LINK, "a", "wiki:Bob", entity=1, probability=0.75)
    moved = Entity((Mention(0, 1, None, ("wiki:Kingdom",)),), "P", ("wiki:Kingdom",))
    linked = Entity(BOB.mentions, "P", ("wiki:Bob",), 0.75)
    with beam.Pipeline("FnApiRunner") as pipeline:
        links = pipeline | beam.Create([(shard_of("a", SHARDS), link)]).with_output_types(tuple[int, ShardUpdate])
        opened = (pipeline | RedirectUpdates(store), links) | ReadStore(store)
        entities = opened.extracted | beam.MapTuple(lambda document, extraction: (document.id, extraction.entities))
        expected = [(id, (moved, linked if id == "a" else BOB)) for id in MADE]
        assert_that(entities, equal_to(expected))
        assert_that(opened.dead, equal_to([LETTER]), "dead")


def test_notes_about_others_change_nothing():
    made = MADE["a"]
    notes = ShardUpdates.of(
        [ShardUpdate(REDIRECT, "wiki:GB", "wiki:X"), ShardUpdate(LINK, "b", "wiki:Bob", 1), ShardUpdate("", "", "")]
    )
    assert notes.apply(*made, ids=("wiki:UK",)) == made
