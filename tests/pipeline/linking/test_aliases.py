import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.linking.aliases import (
    MAX_CANDIDATES,
    AliasCandidates,
    AliasCounts,
    Candidate,
    alias_counts,
    alias_key,
    unlinked_entities,
)
from schemas import Entity, Extraction, Mention
from tests.pipeline.made import document

counts = st.integers(0, 3)
aliases = st.builds(AliasCounts, counts, counts, counts, counts, counts, counts, counts, counts)
candidates = st.builds(Candidate, st.sampled_from([f"wiki:{letter}" for letter in "ABCDEFGHIJKLMNOP"]), aliases)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The  Beatles", "the beatle"),
        ("São Paulo", "sao paulo"),
        ("non-small cell", "Non Small Cell"),
        ("Adams'", "Adam"),
        ("Adams’s", "adams"),
        ("seizures", "Seizure"),
    ],
)
def test_spellings_of_one_alias_have_one_key(one, other):
    assert alias_key(one) == alias_key(other)


@pytest.mark.parametrize(("one", "other"), [("C++", "C#"), ("Paris", "Pari"), ("class", "clas"), ("virus", "viru")])
def test_other_aliases_have_other_keys(one, other):
    assert alias_key(one) != alias_key(other)


@pytest.mark.parametrize("text", ["", "N", "-", "x" * 201])
def test_what_is_too_short_or_too_long_is_no_alias(text):
    assert alias_key(text) == ""


@given(st.text(alphabet="abcsAS 1+-.,", max_size=30))
def test_case_and_punctuation_around_words_do_not_matter(text):
    assert alias_key(text.upper()) == alias_key(text.lower()) == alias_key(f" ({text})")


@given(st.lists(candidates, unique_by=lambda candidate: candidate.target, max_size=16), st.randoms())
def test_the_best_candidates_are_the_same_in_any_order(found, chance):
    whole = AliasCandidates.of(found)
    chance.shuffle(found)
    assert AliasCandidates.of(found) == whole
    assert len(whole.best) == min(MAX_CANDIDATES, len(found))
    assert whole.uses == sum(candidate.alias.uses for candidate in found)


def said(page, *entities):
    extraction = Extraction(page.id, entities, ())
    return {(text, target, alias) for text, target, alias in alias_counts(page, extraction)}


def test_a_page_says_where_its_links_lead_and_what_else_it_calls_that():
    page = document(
        "wiki:X", "Mr Adams wrote. Adams saw it.", {"Mr Adams": "wiki:Douglas Adams (writer)", "it": "wiki:It"}
    )
    entity = Entity((page.mentions[0], Mention(4, 5)), "PER", ("wiki:Douglas Adams (writer)",))
    target = "wiki:Douglas Adams (writer)"
    assert said(page, entity) == {
        ("Mr Adams", target, AliasCounts(anchors=1)),
        ("Adams", target, AliasCounts(forms=1)),
        ("Douglas Adams (writer)", target, AliasCounts(titles=1)),
        ("Douglas Adams", target, AliasCounts(qualified=1)),
        ("It", "wiki:It", AliasCounts(titles=1)),
        ("X", "wiki:X", AliasCounts(titles=1)),
    }


def test_a_disambiguation_page_lists_candidates_for_its_title_with_the_first_link_of_each_line():
    page = document(
        "wiki:Mercury (disambiguation)",
        "Mercury may be:\n\nMercury One, near Venus\n\nMercury Two",
        {"Mercury One": "wiki:Mercury (planet)", "Venus": "wiki:Venus", "Mercury Two": "wiki:Mercury (god)"},
        title="Mercury (disambiguation)",
        metadata=(("disambiguation", "yes"),),
    )
    listed = {(text, target) for text, target, alias in said(page) if alias.listed}
    assert listed == {("Mercury", "wiki:Mercury (planet)"), ("Mercury", "wiki:Mercury (god)")}


def test_headings_are_aliases_also_in_their_natural_order():
    metadata = (("mesh", "D1|Carcinoma, Hepatocellular"), ("substance", "C2|aspirin"), ("mesh", "|Nameless"))
    assert said(document("pubmed:1", "Text.", metadata=metadata)) == {
        ("Carcinoma, Hepatocellular", "mesh:D1", AliasCounts(headings=1)),
        ("Hepatocellular Carcinoma", "mesh:D1", AliasCounts(headings=1)),
        ("aspirin", "mesh:C2", AliasCounts(headings=1)),
    }


def test_a_mention_of_several_entries_is_the_name_of_none():
    page = document("d", "Both met Bob.")
    page = document("d", "Both met Bob.", mentions=(Mention(0, 1, None, ("mesh:D1", "mesh:D2")),), title="d")
    assert said(page) == set()


def test_an_abbreviation_is_looked_up_by_its_long_form_too_and_a_pronoun_is_not():
    page = document("d", "Prostate cancer (PC) is bad. It kills.")
    entity = Entity((Mention(3, 4), Mention(8, 9)), "D")
    linked = Entity((Mention(0, 2, None, ("mesh:D1",)),), "D", ("mesh:D1",))
    assert page.words()[3] == "PC"
    assert page.words()[8] == "It"
    assert list(unlinked_entities(page, Extraction("d", (linked, entity), ()), [linked.kb_ids, ()])) == [
        (1, ("pc", "prostate cancer"))
    ]
