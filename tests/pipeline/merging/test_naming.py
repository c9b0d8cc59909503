import pytest
from msgspec.structs import replace

from pipeline.merging.naming import entity_name, knowledge_base_ids, most_frequent, page_title
from schemas import Entity, Mention
from tests.pipeline.made import document


def entity_of(text, *phrases, kb_ids=()):
    """A document and an entity whose mentions are the phrases, each at its next place in the text."""
    made = document("d", text)
    mentions = []
    at = 0
    for phrase in phrases:
        at = text.index(phrase, at)
        first = next(i for i, (start, _) in enumerate(made.tokens) if start == at)
        last = next(i for i, (_, end) in enumerate(made.tokens) if end == at + len(phrase))
        mentions.append(Mention(first, last + 1))
        at += len(phrase)
    return made, Entity(tuple(mentions), "T", kb_ids)


@pytest.mark.parametrize(
    ("text", "phrases", "name"),
    [
        ("Here Ada Lovelace came. Then Lovelace left.", ["Ada Lovelace", "Lovelace"], "Ada Lovelace"),
        ("We saw Google. The company grew. The company fell.", ["Google", "The company", "The company"], "Google"),
        ("He has gout. Now gout. Goutish men rest.", ["gout", "gout", "Goutish"], "gout"),
        ("Paris is large. It grows.", ["Paris", "It"], "Paris"),
        ("They saw the US. We know it.", ["US", "it"], "US"),
        ("He came. Now he left. Today he sleeps.", ["He", "he", "he"], "he"),
        ("Born in 1952. That year was cold.", ["1952", "That year"], "1952"),
        ("The Hague grew. See the Hague.", ["The Hague", "the Hague"], "Hague"),
        ("We know the company. The end.", ["the company"], "the company"),
        ("We heard The\n Beatles play.", ["The\n Beatles"], "The Beatles"),
    ],
)  # fmt: skip
def test_the_name_is_what_a_person_would_call_it(text, phrases, name):
    assert entity_name(*entity_of(text, *phrases))[0] == name


def test_pronouns_are_no_aliases_unless_there_is_nothing_else():
    assert entity_name(*entity_of("Paris is large. It grows.", "Paris", "It"))[1] == ("Paris",)
    assert entity_name(*entity_of("It grows.", "It"))[1] == ("It",)


def test_ids_with_most_mentions_stay_and_a_stray_link_goes():
    made = document("d", "Paris and Paris and France.")
    links = [Mention(0, 1, None, ("wiki:Paris",)), Mention(2, 3, None, ("wiki:Paris",))]
    stray = Mention(4, 5, None, ("wiki:France",))
    assert knowledge_base_ids(made, Entity((*links, stray), "T"), "Paris") == ("wiki:Paris",)


def test_a_link_speaks_for_shorter_and_longer_forms_and_not_for_other_words():
    def ids(*mentions):
        made, entity = entity_of(" and ".join(form for form, _ in mentions), *(form for form, _ in mentions))
        linked = [
            replace(found, kb_ids=(target,) if target else ())
            for found, (_, target) in zip(entity.mentions, mentions, strict=True)
        ]
        return knowledge_base_ids(made, Entity(tuple(linked), "T"), "")

    newman = (("Paul Newman", "wiki:Paul Newman"), ("Newman", ""), ("Newman", ""), ("he", ""), ("he", ""))
    assert ids(*newman) == ("wiki:Paul Newman",)
    assert ids(("United States", ""), ("U.S.", ""), ("American", "wiki:Americans")) == ()
    assert ids(("America", ""), ("American", "wiki:Americans")) == ("wiki:Americans",)
    both = (("Afghan", "wiki:Demographics of Afghanistan"), ("Afghan", "wiki:Demographics of Afghanistan"))
    assert ids(*both, ("Afghanistan", "wiki:Afghanistan"), ("Afghanistan", ""), ("Afghanistan", "")) == (
        "wiki:Afghanistan",
    )


def test_several_ids_of_one_annotation_stay_together_sorted():
    made = document("d", "It causes anaemia.")
    entity = Entity((Mention(2, 3, None, ("mesh:D2", "mesh:D1")),), "T", ("mesh:D2", "mesh:D1"))
    assert knowledge_base_ids(made, entity, "anaemia") == ("mesh:D1", "mesh:D2")


def test_an_entity_without_mention_ids_keeps_its_own():
    assert knowledge_base_ids(*entity_of("See Paris.", "Paris", kb_ids=("wiki:Paris",)), "Paris") == ("wiki:Paris",)


def test_the_subject_of_an_encyclopedia_page_is_the_page():
    text = "Ada Lovelace wrote. She met Babbage."
    page = document("wiki:Ada Lovelace", text, title="Ada Lovelace")
    assert knowledge_base_ids(page, Entity((Mention(0, 2),), "T"), "Ada  lovelace") == ("wiki:Ada Lovelace",)
    assert knowledge_base_ids(page, Entity((Mention(5, 6),), "T"), "Babbage") == ()
    article = document("pubmed:1", text, title="Ada Lovelace")
    assert knowledge_base_ids(article, Entity((Mention(0, 2),), "T"), "Ada Lovelace") == ()


def test_ties_go_to_the_longer_then_the_first_by_alphabet():
    assert most_frequent({"b": 1, "a": 1, "cc": 1}) == "cc"
    assert most_frequent({"b": 1, "a": 1}) == "a"
    assert most_frequent({"b": 2, "cc": 1}) == "b"


def test_a_node_with_a_page_is_called_like_the_page():
    assert page_title(("wiki:Ayn Rand",)) == "Ayn Rand"
    assert page_title(("mesh:D008094",)) is None
    assert page_title(()) is None
