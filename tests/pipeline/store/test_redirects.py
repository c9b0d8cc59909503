import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.store.redirects import RedirectsByShard, ResolveRedirects, apply_redirects
from schemas import Entity, Extraction, Mention
from tests.pipeline.made import document

REDIRECTS = [
    ("wiki:UK", "wiki:U.K."),
    ("wiki:U.K.", "wiki:Kingdom"),
    ("wiki:Kingdom", "wiki:United Kingdom"),
    ("wiki:GB", "wiki:Great Britain"),
    ("wiki:Unheard", "wiki:Of"),
]


def hits(links, redirects):
    """Follow `links` (id, shard) through `redirects` and return the assertion that checks it."""
    with beam.Pipeline("FnApiRunner") as pipeline:
        found = (
            pipeline | "links" >> beam.Create(links).with_output_types(tuple[str, int]),
            pipeline | "redirects" >> beam.Create(redirects).with_output_types(tuple[str, str]) | ResolveRedirects(2),
        ) | RedirectsByShard(2)
        yield lambda expected: assert_that(found, equal_to(expected))


@pytest.mark.parametrize(
    ("links", "redirects", "expected"),
    [
        (
            [("wiki:UK", 0), ("wiki:UK", 3), ("wiki:GB", 1), ("wiki:Rome", 0)],
            REDIRECTS,
            [
                (0, ("wiki:UK", "wiki:United Kingdom")),
                (3, ("wiki:UK", "wiki:United Kingdom")),
                (1, ("wiki:GB", "wiki:Great Britain")),
            ],
        ),
        ([("wiki:A", 0)], [("wiki:A", "wiki:B"), ("wiki:B", "wiki:A"), ("wiki:C", "wiki:C")], []),
    ],
    ids=["over several steps", "in a circle"],
)
def test_every_shard_hears_of_the_targets_that_its_links_lead_to(links, redirects, expected):
    for check in hits(links, redirects):
        check(expected)


def test_documents_and_extractions_follow_and_ids_stay_unique():
    entity = Entity((Mention(0, 1, None, ("wiki:UK", "wiki:GB")),), "P", ("wiki:GB",))
    made = document("d", "UK", {"UK": "wiki:UK"}, entities=(entity,))
    moved, extraction = apply_redirects(
        made, Extraction("d", (entity,), ()), {"wiki:UK": "wiki:X", "wiki:GB": "wiki:X"}
    )
    assert moved.mentions[0].kb_ids == ("wiki:X",)
    assert moved.entities == extraction.entities == (Entity((Mention(0, 1, None, ("wiki:X",)),), "P", ("wiki:X",)),)


def test_without_targets_nothing_moves():
    made = document("d", "UK", {"UK": "wiki:UK"})
    extraction = Extraction("d", (), ())
    assert apply_redirects(made, extraction, {}) == (made, extraction)
