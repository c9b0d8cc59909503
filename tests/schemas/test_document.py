import pytest

from schemas import Document, Entity, Fact, Mention, problems

TEXT = "Ada met Byron. She left."
TOKENS = ((0, 3), (4, 7), (8, 13), (13, 14), (15, 18), (19, 23), (23, 24))
SENTENCES = ((0, 4), (4, 7))


def document(**changes):
    parts = {"id": "d", "source": "s", "title": "t", "text": TEXT, "tokens": TOKENS, "sentences": SENTENCES}
    return Document(**{**parts, **changes})


def test_words_and_spans():
    assert document().words() == ["Ada", "met", "Byron", ".", "She", "left", "."]
    assert document().span_text(0, 3) == "Ada met Byron"


def test_a_sound_document_has_no_problems():
    ada = Entity((Mention(0, 1), Mention(4, 5)), "PER")
    byron = Entity((Mention(2, 3),), "PER")
    full = document(mentions=(Mention(0, 3),), entities=(ada, byron), facts=(Fact(0, "P1", 1), Fact(1, "P1", 0)))
    assert problems(full) == []
    assert problems(document(text="", tokens=(), sentences=())) == []
    assert problems(document(entities=())) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tokens": ((0, 3), (2, 7), *TOKENS[2:])}, "token 1 at 2:7 overlaps"),
        ({"tokens": ((0, 0), *TOKENS[1:])}, "token 0 at 0:0 overlaps, is empty or leaves the text"),
        ({"tokens": (*TOKENS[:6], (23, 25))}, "token 6 at 23:25 overlaps, is empty or leaves the text"),
        ({"tokens": ((-1, 3), *TOKENS[1:])}, "token 0 at -1:3"),
        ({"sentences": ((0, 3), (4, 7))}, "sentence 1 at tokens 4:7 leaves a gap"),
        ({"sentences": ((0, 5), (4, 7))}, "sentence 1 at tokens 4:7 leaves a gap, overlaps"),
        ({"sentences": ((0, 7), (7, 7))}, "sentence 1 at tokens 7:7"),
        ({"sentences": ((0, 4),)}, "sentences cover 4 of 7 tokens"),
        ({"mentions": (Mention(6, 8),)}, "mention at tokens 6:8 leaves the document"),
        ({"mentions": (Mention(2, 2),)}, "mention at tokens 2:2"),
        ({"entities": (Entity((Mention(-1, 1),), "PER"),)}, "mention at tokens -1:1"),
        ({"facts": (Fact(0, "P1", 0),)}, "fact 0 P1 0 refers to an entity that does not exist"),
        ({"entities": (Entity((), "PER"),), "facts": (Fact(0, "P1", 1),)}, "fact 0 P1 1 refers to an entity"),
    ],
)
def test_every_problem_is_named(changes, problem):
    found = problems(document(**changes))
    assert len(found) == 1
    assert found[0].startswith(problem)
