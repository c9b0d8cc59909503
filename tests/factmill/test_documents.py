import pytest

import factmill
from schemas import problems

TEXT = "Marie Curie was born in Warsaw."


def entity(type: str, *parts: str, **more) -> factmill.GivenEntity:
    return factmill.GivenEntity(type, [(TEXT.index(part), TEXT.index(part) + len(part)) for part in parts], **more)


def test_equal_texts_have_equal_ids_and_others_do_not():
    assert factmill.make_document(TEXT) == factmill.make_document(TEXT)
    assert factmill.make_document(TEXT).id != factmill.make_document(TEXT + " ").id
    assert factmill.make_document(TEXT, id="mine").id == "mine"


def test_given_entities_are_related_and_no_others_are_found(model):
    document = factmill.make_document(
        TEXT, entities=[entity("LOC", "Warsaw"), entity("PER", "Marie Curie", kb_ids=["wiki:Marie Curie"])]
    )
    assert problems(document) == []
    result = model(document)
    assert [(entity.name, entity.kb_ids) for entity in result.entities] == [
        ("Warsaw", ()),
        ("Marie Curie", ("wiki:Marie Curie",)),
    ]
    assert [str(fact) for fact in result.facts] == ["Marie Curie -- place of birth -> Warsaw"]
    assert model(factmill.make_document(TEXT, entities=[])).entities == ()


def test_mentions_may_begin_inside_words():
    document = factmill.make_document(TEXT, entities=[entity("X", "Cur", "orn in Wars")])
    assert [document.span_text(m.start, m.end) for m in document.entities[0].mentions] == ["Cur", "orn in Wars"]
    assert problems(document) == []


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(0, 99)], "the mention 0:99 leaves the text, which has 31 characters"),
        ([(5, 5)], "the mention 5:5 leaves the text"),
        ([(-1, 3)], "the mention -1:3 leaves the text"),
        ([(5, 6)], r"the mention 5:6 \(' '\) has no visible character"),
        ([], "an entity of type 'PER' has no mention"),
    ],
)
def test_mentions_that_are_none(spans, message):
    with pytest.raises(ValueError, match=message):
        factmill.make_document(TEXT, entities=[factmill.GivenEntity("PER", spans)])


def test_a_text_that_is_none():
    with pytest.raises(TypeError, match=r"a text is a str, not bytes \(decode it"):
        factmill.make_document(b"text")
