import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.linking.aliases import AliasCandidates, AliasCounts, Candidate, alias_key
from pipeline.linking.disambiguation import (
    FEATURES,
    CorpusStatistics,
    LinkingModel,
    ScoredCandidate,
    linking_model,
    probabilities,
    scored_candidates,
    select_links,
)
from pipeline.linking.target_profiles import TargetProfile
from schemas import Entity, Extraction, Mention
from tests.pipeline.made import document

EVEN = LinkingModel(dict.fromkeys(FEATURES, 0.0), dict.fromkeys(FEATURES, 0.0), 0.5)
features = st.tuples(*[st.floats(-3, 3) for _ in FEATURES])
options = st.lists(st.tuples(st.sampled_from(["wiki:A", "wiki:B", "mesh:C"]), features), unique_by=lambda pair: pair[0])


def known(*entries):
    """(text, target, alias) entries as knowledge."""
    keys = {alias_key(text) for text, _, _ in entries}
    return CorpusStatistics(
        {
            key: AliasCandidates.of(
                Candidate(target, alias) for text, target, alias in entries if alias_key(text) == key
            )
            for key in keys
        }
    )


def measured(page, entity, knowledge):
    [(number, found)] = scored_candidates(page, Extraction(page.id, (entity,), ()), knowledge).items()
    assert number == 0
    return {option.target: dict(zip(FEATURES, option.features, strict=True)) for option in found}


def test_commonness_is_the_share_of_uses_and_a_title_is_known_by_its_spelling():
    page = document("d", "Mercury is here.")
    found = measured(
        page,
        Entity((Mention(0, 1),), "X"),
        known(
            ("mercury", "wiki:Mercury", AliasCounts(anchors=3, titles=1)),
            ("mercury", "wiki:Hermes", AliasCounts(anchors=1)),
        ),
    )
    assert found["wiki:Mercury"]["commonness"] == 0.75
    assert found["wiki:Hermes"]["commonness"] == 0.25
    assert found["wiki:Mercury"]["uses"] == math.log(4)
    assert (found["wiki:Mercury"]["title"], found["wiki:Mercury"]["spelling"]) == (1.0, 1.0)
    assert (found["wiki:Hermes"]["title"], found["wiki:Hermes"]["spelling"]) == (0.0, 0.0)


def test_a_candidate_of_one_form_of_two_agrees_by_half():
    page = document("d", "John Adams met Adams.")
    entity = Entity((Mention(0, 2), Mention(3, 4)), "X")
    found = measured(
        page,
        entity,
        known(("Adams", "wiki:B", AliasCounts(anchors=1)), ("John Adams", "wiki:A", AliasCounts(anchors=1))),
    )
    assert found["wiki:A"]["agreeing"] == found["wiki:B"]["agreeing"] == 0.5


def test_a_document_that_links_to_a_candidate_or_is_listed_under_it_speaks_for_it():
    page = document("d", "Mercury met Venus.", {"Venus": "wiki:A"}, metadata=(("mesh", "D1|Mercury"),))
    found = measured(
        page,
        Entity((Mention(0, 1),), "X"),
        known(*(("mercury", target, AliasCounts(anchors=1)) for target in ("wiki:A", "wiki:B", "mesh:D1"))),
    )
    assert [found[target]["in document"] for target in ("wiki:A", "wiki:B", "mesh:D1")] == [1.0, 0.0, 0.0]
    assert [found[target]["heading"] for target in ("wiki:A", "wiki:B", "mesh:D1")] == [0.0, 0.0, 1.0]


def test_types_are_compared_with_those_of_entities_that_are_known():
    page = document("d", "Mercury is here.")
    knowledge = known(("mercury", "wiki:A", AliasCounts(anchors=1)), ("mercury", "wiki:B", AliasCounts(anchors=1)))
    knowledge.profiles = {"wiki:A": TargetProfile.of("X"), "wiki:B": TargetProfile.of("Y")}
    found = measured(page, Entity((Mention(0, 1),), "X"), knowledge)
    assert found["wiki:A"]["type"] == math.log(1.5)
    assert found["wiki:B"]["type"] == math.log(0.5)


@given(options)
def test_probabilities_leave_a_share_for_none_of_them(found):
    chances = probabilities([ScoredCandidate(target, values, "") for target, values in found], linking_model())
    assert all(0 <= chance <= 1 for chance in chances)
    assert sum(chances) <= 1 + 1e-9
    assert probabilities([ScoredCandidate("wiki:A", (0.0,) * len(FEATURES), "")] * 3, EVEN) == [0.25] * 3


@given(options, st.randoms())
def test_an_entity_gets_the_most_probable_candidate_or_none_in_any_order(found, chance):
    weights = linking_model()
    given = [ScoredCandidate(target, values, "") for target, values in found]
    links = select_links({0: given, 1: []}, weights)
    shuffled = list(given)
    chance.shuffle(shuffled)
    assert select_links({0: shuffled}, weights) == links
    assert len(links) <= 1
    chances = probabilities(given, weights)
    if links:
        assert links[0].entity == 0
        assert math.isclose(links[0].probability, max(chances), abs_tol=1e-6)
        assert links[0].probability >= weights.cut
        assert [other for _, other in links[0].others] == sorted((other for _, other in links[0].others), reverse=True)
        assert sorted([links[0].option.target, *dict(links[0].others)]) == sorted(option.target for option in given)
    else:
        assert max(chances, default=0.0) < weights.cut


def test_the_weights_that_come_with_factmill_know_every_feature_and_trust_a_dictionary():
    weights = linking_model()
    assert set(weights.pages) == set(weights.terms) == set(FEATURES)
    page = document("d", "Mercury is here.")
    stated = known(("mercury", "wiki:A", AliasCounts(prior=1000)))
    found = scored_candidates(page, Extraction("d", (Entity((Mention(0, 1),), "X"),), ()), stated)
    [link] = select_links(found, weights)
    assert (link.option.target, link.option.source) == ("wiki:A", "dictionary")
