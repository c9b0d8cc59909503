from pathlib import Path

import pytest

import factmill

BIRTH = "Marie Curie was born in Warsaw."
FAMILY = "Marie Curie was born in Warsaw. In 1895 she married Pierre Curie, who was born in Paris."


def test_a_text_gives_entities_and_facts_with_names(model):
    result = model(BIRTH)
    assert [(entity.name, entity.type) for entity in result.entities] == [("Marie Curie", "PER"), ("Warsaw", "LOC")]
    [fact] = result.facts
    assert (fact.head.name, fact.relation.label, fact.tail.name) == ("Marie Curie", "place of birth", "Warsaw")
    assert fact.relation.id == "P19"
    assert 0.5 < fact.probability < 1
    assert [sentence.text for sentence in fact.evidence] == [BIRTH]


def test_a_list_is_extracted_in_order_and_each_text_as_if_it_were_alone(model):
    texts = [FAMILY, BIRTH, "", "Paris is in France. " * 30, BIRTH]
    results = model(texts)
    assert [result.text for result in results] == texts
    assert results == [model(text) for text in texts]


def test_texts_and_documents_may_be_mixed(model):
    document = factmill.make_document(BIRTH, id="note:1", title="A note")
    first, second = model((document, BIRTH))
    assert first.facts == second.facts
    assert (first.document.id, first.title, second.title) == ("note:1", "A note", "")


def test_the_probability_is_a_cut(model):
    every = model(FAMILY, min_probability=0.0)
    some = model(FAMILY, min_probability=0.5)
    assert len(every.facts) > len(model(FAMILY).facts) > len(some.facts) > 0
    assert all(fact.probability >= 0.5 for fact in some.facts)
    assert some.facts == tuple(fact for fact in every.facts if fact.probability >= 0.5)


def test_a_cut_follows_from_a_precision(model):
    precise = model(FAMILY, min_precision=0.8)
    assert set(precise.facts) < set(model(FAMILY).facts)
    with pytest.raises(factmill.PrecisionError, match=r"precision 0\.999 cannot be guaranteed"):
        model(FAMILY, min_precision=0.999)


def test_a_call_with_a_cut_changes_no_later_call(model):
    before = model(FAMILY)
    model(FAMILY, min_probability=0.9)
    assert model(FAMILY) == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"text", r"not bytes \(decode it: data\.decode\('utf-8'\)\)"),
        (None, "not NoneType"),
        (7, "not int"),
        (Path("a.txt"), r"not PosixPath \(read it: path\.read_text"),
        ({"text": BIRTH}, r"not dict \(pass its text"),
        ({BIRTH}, "not set"),
        ([BIRTH, None], "item 1: expected a str or a factmill.Document, not NoneType"),
        ([BIRTH, [BIRTH]], "item 1: expected a str or a factmill.Document, not list"),
    ],
)
def test_what_is_no_text_is_refused_with_a_remedy(model, given, message):
    with pytest.raises(TypeError, match=message):
        model(given)


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ({"min_probability": 1.5}, "min_probability is a share from 0 to 1, not 1.5"),
        ({"min_precision": -1}, "min_precision is a share from 0 to 1, not -1"),
        ({"min_precision": 0.5, "min_probability": 0.5}, "give one of them"),
    ],
)
def test_cuts_that_make_no_sense(model, cuts, message):
    with pytest.raises(ValueError, match=message):
        model(BIRTH, **cuts)


def test_odd_texts(model):
    texts = ["", " \n\t", "\0", "\ud800 half a pair", "é" * 50, "." * 500, "Ada\r\nLovelace", "👩‍🔬 in Warsaw"]
    for text, result in zip(texts, model(texts), strict=True):
        assert len(result.text) == len(text)
        for entity in result.entities:
            for span in entity.mentions:
                assert result.text[span.start : span.end] == span.text


def test_a_model_shows_what_it_is(model):
    assert repr(model) == "Model('docred-minilm': 6 entity types and 96 relations of the schema 'docred')"
    assert "PER" in model.entity_types
    assert "place of birth" in {relation.label for relation in model.relations}


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(factmill.CheckpointError, match="no checkpoint 'absent': use a folder"):
        factmill.load("absent")
    with pytest.raises(factmill.CheckpointError, match="no checkpoint"):
        factmill.load(tmp_path)
    with pytest.raises(TypeError, match="the name of a model is a str or a path, not NoneType"):
        factmill.load(None)
