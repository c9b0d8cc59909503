from itertools import permutations

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from pipeline.settle import ResolveRedirects, Settle, newest, redirect_links
from pipeline.tally import Tally
from schemas import Document, Entity, Mention, Redirect, Removal
from tests.pipeline.made import document


def settle(pipeline, documents, removals=(), redirects=()):
    return {
        "documents": pipeline | "documents" >> beam.Create(documents).with_output_types(Document),
        "removals": pipeline | "removals" >> beam.Create(removals).with_output_types(Removal),
        "redirects": pipeline | "redirects" >> beam.Create(redirects).with_output_types(Redirect),
    } | Settle(Tally("/nowhere", "settle"))


def test_the_newest_version_wins_and_removed_documents_go():
    old, new, twin = (
        document("a", "Old.", version=1),
        document("a", "New.", version=2),
        document("a", "Twin.", version=2),
    )
    kept = newest([old, new, twin])[0]
    gone = document("b", "Gone.", version=9)
    with beam.Pipeline("FnApiRunner") as pipeline:
        settled = settle(pipeline, [old, new, gone, twin], [Removal("b", "f"), Removal("b", "g"), Removal("c", "f")])
        assert_that(settled.documents, equal_to([kept]), label="documents")
        assert_that(settled.left_out, equal_to(["superseded", "duplicate", "removed"]), label="left out")


def test_which_of_equal_versions_stays_depends_on_the_content_alone():
    versions = [document("a", text, version=version) for text, version in [("X.", 1), ("Y.", 2), ("Z.", 2), ("Z.", 2)]]
    results = [newest(order) for order in permutations(versions)]
    assert {result[0] for result in results} == {results[0][0]}
    assert all(sorted(reasons) == ["duplicate", "duplicate", "superseded"] for _, reasons in results)


def test_links_to_redirects_lead_to_their_targets_also_over_several_steps():
    made = document("d", "The UK and GB and Rome.", {"UK": "wiki:UK", "GB": "wiki:GB", "Rome": "wiki:Rome"})
    redirects = [
        Redirect("wiki:UK", "wiki:U.K.", "f"),
        Redirect("wiki:U.K.", "wiki:Kingdom", "f"),
        Redirect("wiki:Kingdom", "wiki:United Kingdom", "f"),
        Redirect("wiki:GB", "wiki:Great Britain", "f"),
        Redirect("wiki:Unheard", "wiki:Of", "f"),
    ]
    expected = redirect_links(made, {"wiki:UK": "wiki:United Kingdom", "wiki:GB": "wiki:Great Britain"})
    assert [mention.kb_ids[0] for mention in expected.mentions] == [
        "wiki:United Kingdom", "wiki:Great Britain", "wiki:Rome"]  # fmt: skip
    with beam.Pipeline("FnApiRunner") as pipeline:
        assert_that(settle(pipeline, [made], redirects=redirects).documents, equal_to([expected]))


def test_links_of_given_entities_follow_too_and_stay_unique():
    entity = Entity((Mention(0, 1, None, ("wiki:UK", "wiki:GB")),), "P", ("wiki:GB",))
    made = document("d", "UK", entities=(entity,))
    (moved,) = redirect_links(made, {"wiki:UK": "wiki:X", "wiki:GB": "wiki:X"}).entities
    assert (moved.mentions[0].kb_ids, moved.kb_ids) == (("wiki:X",), ("wiki:X",))


def test_redirects_in_a_circle_change_nothing():
    made = document("d", "A loop.", {"loop": "wiki:A"})
    circle = [Redirect("wiki:A", "wiki:B", "f"), Redirect("wiki:B", "wiki:A", "f"), Redirect("wiki:C", "wiki:C", "f")]
    with beam.Pipeline("FnApiRunner") as pipeline:
        assert_that(settle(pipeline, [made], redirects=circle).documents, equal_to([made]))


def test_an_alias_with_two_targets_takes_the_first_by_alphabet():
    with beam.Pipeline("FnApiRunner") as pipeline:
        redirects = pipeline | beam.Create([Redirect("a", "z", "f"), Redirect("a", "b", "g")])
        assert_that(redirects | ResolveRedirects(), equal_to([("a", "b")]))
