from collections import Counter

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that

from pipeline.linking.link import LinkEntities, has_targets
from pipeline.record_types import register_coders
from pipeline.store.shard_updates import ShardUpdates
from pipeline.store.store import shard_of
from pipeline.store.store_transforms import RedirectUpdates
from schemas import Entity, Extraction
from tests.pipeline.linking.corpus import PAGES, REDIRECTS, expected_links, extracted, store_of
from tests.pipeline.made import document


def linked(store, check):
    """Link a store with Beam and check notes and counts inside the pipeline."""
    register_coders()
    with beam.Pipeline("FnApiRunner") as pipeline:
        found = pipeline | RedirectUpdates(store) | LinkEntities(store)
        assert_that(found["updates"], lambda notes: check(notes, None))
        assert_that(found["counts"], lambda counts: check(None, counts), "counts")
        lists = [found[name] | f"{name} in a list" >> beam.combiners.ToList() for name in ("updates", "links")]
        both = lists[0] | beam.Map(lambda notes, rows: (notes, rows), beam.pvalue.AsSingleton(lists[1]))
        assert_that(both, explained, "rows")


def explained(both):
    """Every note has a row that says why, and every row a note."""
    [(notes, rows)] = both
    probabilities = Counter((note.key, note.value, note.probability) for _, note in notes)
    assert Counter((row.document, row.target, row.probability) for row in rows) == probabilities
    words = {page.id: page.text for page, _ in extracted()}
    for row in rows:
        assert words[row.document][row.start : row.end] == row.name
        assert dict(row.features)["bias"] == 1.0
        assert all(0 <= other <= row.probability and id != row.target for id, other in row.others)


@pytest.mark.parametrize("shards", [1, 4])
def test_every_sharding_and_order_gives_the_links_that_follow_from_the_corpus(shards, tmp_path):
    broken = document("broken", "Zebra is here."), Extraction("broken", (Entity((), "X"),), ())
    items = [*extracted(PAGES if shards == 1 else PAGES[::-1]), broken]
    expected = expected_links(extracted(), REDIRECTS)
    assert {target for target, _ in expected.values()} >= {"wiki:Luton", "wiki:Ann Bolt"}

    def check(notes, counts):
        if notes is not None:
            assert {(note.key, note.entity): (note.value, note.probability) for _, note in notes} == expected
            assert all(shard == shard_of(note.key, shards) for shard, note in notes)
        else:
            total = Counter()
            for (stage, word), count in counts:
                assert stage == "linked"
                total[word] += count
            assert sum(total.values()) == sum(len(found.entities) for _, found in items)
            assert sum(total[word] for word in total if word.startswith("by") and "source" not in word) == len(expected)
            assert total["no candidate"] > 0
            assert total["in documents that failed"] == 1

    linked(store_of(tmp_path, items, REDIRECTS, shards), check)


def test_a_corpus_without_ids_has_nothing_to_link_to(tmp_path):
    plain = document("d", "Ann met Bob.")
    assert not has_targets(store_of(tmp_path / "a", [(plain, Extraction("d", (), ()))], {}, 1))
    headed = document("d", "Ann met Bob.", metadata=(("mesh", "D1|Ann"),))
    assert has_targets(store_of(tmp_path / "b", [(headed, Extraction("d", (), ()))], {}, 1))


def test_entities_that_are_links_keep_their_target_and_none_gets_two(tmp_path):
    store = store_of(tmp_path, extracted(), REDIRECTS, 2)

    def check(notes, counts):
        if notes is None:
            return
        applied = ShardUpdates.of(note for _, note in notes)
        for page, found in extracted():
            _, after = applied.apply(page, found, ())
            for before, entity in zip(found.entities, after.entities, strict=True):
                assert entity.kb_ids == before.kb_ids or (not before.kb_ids and len(entity.kb_ids) == 1)
                assert entity.mentions == before.mentions
                assert (entity.link_probability == 1.0) == (entity.kb_ids == before.kb_ids)

    linked(store, check)
