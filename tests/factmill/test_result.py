import dataclasses
import json

import pytest

from factmill import make_document
from factmill.result import result_of
from schemas import Entity, Extraction, Fact, Mention, Relation, RelationSchema

BORN = Relation(id="P19", label="place of birth", iri="http://example.org/born")
WORKS = Relation(id="P1", label="works with", iri="http://example.org/works")
SCHEMA = RelationSchema("made", ("PER", "LOC"), (BORN, WORKS))
TEXT = "Dr. Ada\nByron met Ada. Ada was born in London."
DOCUMENT = make_document(TEXT, id="d")


def mention(text: str, occurrence: int = 0) -> Mention:
    words = DOCUMENT.words()
    wanted = text.split()
    starts = [i for i in range(len(words)) if words[i : i + len(wanted)] == wanted]
    return Mention(starts[occurrence], starts[occurrence] + len(wanted))


@pytest.fixture
def result():
    ada = Entity((mention("Ada Byron"), mention("Ada", 1), mention("Ada", 2)), "PER", ("wiki:Ada",))
    london = Entity((mention("London"),), "LOC")
    facts = (Fact(0, "P1", 1, 0.4, (0, 1)), Fact(0, "P19", 1, 0.9, (1,)), Fact(1, "P19", 0, 0.4))
    return result_of(DOCUMENT, Extraction("d", (ada, london), facts), SCHEMA)


def test_spans_count_characters_of_the_text(result):
    spans = [span for entity in result.entities for span in entity.mentions]
    spans += [span for fact in result.facts for span in fact.evidence] + list(result.sentences)
    assert spans
    assert all(TEXT[span.start : span.end] == span.text for span in spans)


def test_the_name_is_the_longest_mention_in_one_line(result):
    assert [entity.name for entity in result.entities] == ["Ada Byron", "London"]
    assert [span.text for span in result.entities[0].mentions] == ["Ada\nByron", "Ada", "Ada"]
    assert result.entities[0].kb_ids == ("wiki:Ada",)


def test_facts_hold_their_entities_and_come_by_probability(result):
    ada, london = result.entities
    assert [(fact.head, fact.relation, fact.tail) for fact in result.facts] == [
        (ada, BORN, london),
        (ada, WORKS, london),
        (london, BORN, ada),
    ]
    assert [sentence.text for sentence in result.facts[0].evidence] == ["Ada was born in London."]
    assert result.facts[2].evidence == ()


def test_results_cannot_be_changed_and_are_equal_by_content(result):
    for item in (result, result.entities[0], result.facts[0], result.entities[0].mentions[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(item, dataclasses.fields(item)[0].name, None)
        assert item == dataclasses.replace(item)


def test_how_results_are_shown(result):
    ada, born = result.entities[0], result.facts[0]
    assert repr(ada.mentions[1]) == "Span('Ada', 18:21)"
    assert repr(ada) == "ExtractedEntity('Ada Byron', PER, at 4:13, 18:21, 23:26)"
    assert str(born) == "Ada Byron -- place of birth -> London"
    assert repr(born) == "ExtractedFact(Ada Byron -- place of birth -> London, probability=0.9)"
    assert repr(result) == "Result(2 entities and 3 facts in 46 characters)"
    assert str(result).splitlines()[1] == "  0.90  Ada Byron -- place of birth -> London"


def test_a_result_becomes_json(result):
    data = json.loads(json.dumps(result.to_dict()))
    assert data["text"] == TEXT
    assert data["facts"][0]["label"] == "place of birth"
    assert data["facts"][0]["evidence"] == [{"start": 23, "end": 46, "text": "Ada was born in London."}]
    assert data["entities"][0]["mentions"][1] == {"start": 18, "end": 21, "text": "Ada"}
