from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.record_counts import CONFLICTS, OTHER_ANNOTATIONS, OTHER_TEXT
from pipeline.store.reconcile import content_of, delete_documents, latest_version, merge_shards, reconcile
from pipeline.store.store import DOCUMENT, FAILED, REDIRECT, REMOVAL, UNREAD, extracted_row
from schemas import DeadLetter, Extraction, Fact, Redirect, Removal, decode
from tests.pipeline.made import document


def extracted(*documents):
    return [extracted_row(item, Extraction(item.id, (), ())) for item in documents]


def failed(item):
    return extracted_row(item, DeadLetter(item.id, "f", "extract", "extractor failed"))


def change(settled):
    return {what: number for (stage, what), number in settled.counts.items() if stage == "change"}


def left_out(settled):
    return {what: number for (stage, what), number in settled.counts.items() if stage == "skipped"}


def ids(rows, kind):
    return sorted(row.id for row in rows if row.kind == kind)


OLD, NEW, TWIN = (document("a", text, version=version) for text, version in [("Old.", 1), ("New.", 2), ("Twin.", 2)])


def test_among_given_versions_the_newest_counts_and_withdrawn_documents_go():
    kept = latest_version([OLD, NEW, TWIN])[0]
    gone = document("b", "Gone.", version=9)
    settled = reconcile([], [OLD, Removal("b", "f"), NEW, gone, Removal("b", "g"), TWIN, Removal("c", "f")])
    assert settled.documents == [kept]
    assert left_out(settled) == {"superseded": 1, OTHER_TEXT: 1, "removed": 1}
    assert change(settled) == {"added": 1}
    assert ids(settled.rows, REMOVAL) == ["b", "c"]


def test_which_of_equal_given_versions_stays_depends_on_the_content_alone():
    versions = [document("a", text, version=version) for text, version in [("X.", 1), ("Y.", 2), ("Z.", 2), ("Z.", 2)]]
    results = [latest_version(order) for order in permutations(versions)]
    assert {result[0] for result in results} == {results[0][0]}
    assert all(sorted(reasons) == ["duplicate", OTHER_TEXT, "superseded"] for _, reasons in results)


def test_what_has_the_id_of_another_text_is_named_with_both_sources_and_equal_texts_are_duplicates():
    one, two = (document("1", text, source=source) for text, source in [("One.", "a.jsonl"), ("Two.", "b.jsonl")])
    again = msgspec.structs.replace(one, source="c.jsonl", metadata=(("k", "v"),))
    annotated = msgspec.structs.replace(one, source="d.jsonl", facts=(Fact(0, "r", 0),))
    for order in permutations([one, two, again]):
        settled = reconcile([], order)
        assert left_out(settled) == {OTHER_TEXT: 2} or left_out(settled) == {OTHER_TEXT: 1, "duplicate": 1}
        assert sum(left_out(settled).values()) == 2
        named = [what for stage, what in settled.counts if stage == CONFLICTS]
        assert named and all(".jsonl' differs from that of '" in what for what in named)
    assert left_out(reconcile([], [one, again])) == {"duplicate": 1}
    settled = reconcile([], [one, annotated])
    assert left_out(settled) == {OTHER_ANNOTATIONS: 1}
    assert sum(settled.counts[entry] for entry in settled.counts if entry[0] == CONFLICTS) == 1


def test_two_shards_with_different_texts_of_one_id_name_the_one_that_goes():
    one, two = (document("1", text, source=source) for text, source in [("One.", "a"), ("Two.", "b")])
    kept = latest_version([one, two])[0]
    gone = two if kept == one else one
    joined = merge_shards(extracted(kept), extracted(gone))
    assert joined.rows == extracted(kept)
    assert left_out(joined) == {OTHER_TEXT: 1}
    assert joined.counts[CONFLICTS, f"'1' of '{gone.source}' differs from that of '{kept.source}'"] == 1


def test_few_conflicts_of_a_shard_are_named_and_all_are_counted():
    given = [document(str(n), text, source=text[0]) for n in range(50) for text in ("One.", "Two.")]
    counts = reconcile([], given).counts
    assert counts["skipped", OTHER_TEXT] == 50
    assert sum(stage == CONFLICTS for stage, _ in counts) == 20


def test_a_held_document_gives_way_to_a_newer_one_and_to_a_given_one_of_its_version():
    assert reconcile(extracted(NEW), [OLD]).documents == []
    assert left_out(reconcile(extracted(NEW), [OLD])) == {"superseded": 1}
    for held, newer in ((OLD, NEW), (NEW, TWIN), (TWIN, NEW)):
        settled = reconcile(extracted(held), [newer])
        assert settled.documents == [newer]
        assert (change(settled), settled.rows) == ({"replaced": 1}, [])


def test_a_document_that_is_held_already_is_not_extracted_again():
    settled = reconcile(extracted(NEW), [NEW])
    assert (settled.documents, settled.rows, change(settled)) == ([], extracted(NEW), {"kept": 1})


def test_a_new_edition_with_the_same_text_keeps_its_extraction():
    edition = msgspec.structs.replace(NEW, version=3, source="g", metadata=(("k", "v"),))
    assert content_of(edition) == content_of(NEW)
    settled = reconcile(extracted(NEW), [edition])
    assert (settled.documents, settled.rows, change(settled)) == ([], extracted(edition), {"replaced": 1})


def test_a_document_that_failed_is_tried_again_when_it_is_given_again():
    settled = reconcile([failed(NEW)], [NEW])
    assert (settled.documents, change(settled)) == ([NEW], {"retried": 1})
    assert reconcile([failed(NEW)], []).rows == [failed(NEW)]


def test_a_withdrawn_document_goes_and_does_not_come_back():
    settled = reconcile(extracted(OLD), [Removal("a", "f")])
    assert (ids(settled.rows, DOCUMENT), change(settled)) == ([], {"removed": 1})
    again = reconcile(settled.rows, [NEW])
    assert (again.documents, left_out(again)) == ([], {"removed": 1})


def test_dead_letters_of_reading_are_there_once():
    letter, other = (DeadLetter("x", "f", "read", reason) for reason in ("cut short", "damaged"))
    settled = reconcile(reconcile([], [letter, letter]).rows, [letter, other])
    assert len(ids(settled.rows, UNREAD)) == 2
    assert left_out(settled) == {"repeated dead letter": 1}
    assert settled.counts["letters", "new"] == 1


def test_an_alias_leads_to_one_target_and_a_given_one_takes_the_place_of_a_held_one():
    settled = reconcile([], [Redirect("a", "z", "f"), Redirect("a", "b", "g")])
    (row,) = settled.rows
    assert (row.kind, decode(row.record, Redirect).target) == (REDIRECT, "b")
    (row,) = reconcile([row], [Redirect("a", "c", "h")]).rows
    assert decode(row.record, Redirect).target == "c"


def test_forgotten_documents_leave_no_trace_and_may_come_back():
    letter = DeadLetter("b", "f", "read", "cut short")
    other = document("c", "Other.")
    held = [*reconcile([], [letter]).rows, *extracted(other, NEW)]
    settled = delete_documents(held, {"a", "b", "unheard"})
    assert settled.rows == extracted(other)
    assert change(settled) == {"kept": 1, "removed": 1}
    assert settled.counts["letters", "removed"] == 1
    assert reconcile(settled.rows, [NEW]).documents == [NEW]


def test_of_equal_documents_in_two_shards_the_one_that_did_not_fail_counts():
    assert merge_shards([failed(NEW)], extracted(NEW)).rows == extracted(NEW)
    assert merge_shards(extracted(NEW), [failed(NEW)]).rows == extracted(NEW)
    assert merge_shards([failed(NEW)], [failed(OLD)]).rows[0].kind == FAILED


shards = st.lists(
    st.one_of(
        st.builds(
            lambda id, text, version: extracted_row(document(id, text, version=version), Extraction(id, (), ())),
            st.sampled_from("abcd"),
            st.sampled_from(["One.", "Two."]),
            st.integers(0, 2),
        ),
        st.builds(
            lambda item: reconcile([], [item]).rows[0],
            st.one_of(
                st.builds(Removal, st.sampled_from("abcd"), st.sampled_from("fg")),
                st.builds(Redirect, st.sampled_from("xy"), st.sampled_from("uvw"), st.sampled_from("fg")),
                st.builds(DeadLetter, st.sampled_from("xy"), st.just("f"), st.just("read"), st.sampled_from("rs")),
            ),
        ),
    ),
    max_size=8,
).map(lambda rows: merge_shards(rows[::2], rows[1::2]).rows)


@given(shards, shards, shards)
def test_joining_shards_is_a_matter_of_what_they_hold_alone(a, b, c):
    def joined(x, y):
        return merge_shards(x, y).rows

    assert joined(a, b) == joined(b, a)
    assert joined(joined(a, b), c) == joined(a, joined(b, c))
    assert joined(a, a) == joined(a, []) == a
