import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text.segmentation import align, segment

UNSEEN = re.compile("[\\s\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufe0e\ufe0f]")
MARKUP = st.text(st.sampled_from(list("ab AZ.,!?'’\"()-_0123\n\té́😀中“”\u200b")), max_size=120)


def words(text: str, **options: object) -> list[str]:
    return [text[start:end] for start, end in segment(text, **options)[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("New York-based", "New York - based"),
        ("It cost 3.5 or 1,000 euros.", "It cost 3.5 or 1,000 euros ."),
        ("a dose of 3.5mg", "a dose of 3.5 mg"),
        ("Tolkien's ring", "Tolkien 's ring"),
        ("the O’Brien brothers' house", "the O’Brien brothers ' house"),
        ("J. R. R. Tolkien met Dr. Smith", "J. R. R. Tolkien met Dr. Smith"),
        ("in the U.S. and the U.K.", "in the U.S. and the U.K."),
        ("vitamin C.", "vitamin C ."),
        ("wait ... (really)", "wait ... ( really )"),
        ("CD34+ cells, 3rd try", "CD34 + cells , 3rd try"),
        ("cafe\u0301 noir", "cafe\u0301 noir"),
        ("Glas\xadgow and O\u2019Ba\xadra's", "Glas\xadgow and O\u2019Ba\xadra 's"),
        ("\ufeffIt is\u200b a \u200f(\u0645\u0627\u0631)\u200f", "It is a ( \u0645\u0627\u0631 )"),
        ("می\u200cروم خانه", "می\u200cروم خانه"),
        ("so \u2764\ufe0f \U0001f469\u200d\U0001f467", "so \u2764 \U0001f469 \U0001f467"),
    ],
)
def test_tokens(text, expected):
    assert words(text) == expected.split()


def test_sentences_end_where_told_and_not_inside_spans():
    text = "A title without a stop\nIt stood on St. Mark. Square was near."
    tokens, sentences = segment(text, spans=[(text.index("St."), text.index(" was"))], breaks=[23])
    found = [text[tokens[start][0] : tokens[end - 1][1]] for start, end in sentences]
    assert found == ["A title without a stop", "It stood on St. Mark. Square was near."]


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("de", "Am 4. Juni kam z. B. Dr. Falk. Er blieb.", 2),
        ("en", "He came on June 4. He stayed.", 2),
        ("ltg", "It is. It was.", 2),
        ("", "It is. It was.", 2),
    ],
)
def test_sentences_end_as_the_language_has_it(language, text, count):
    assert len(segment(text, language=language)[1]) == count


def test_spans_cut_tokens_and_align_finds_them():
    text = "the anti-inflammatory pre1990s drug"
    spans = [(4, 8), (25, 29)]
    tokens, _ = segment(text, spans)
    assert [text[tokens[a][0] : tokens[b - 1][1]] for a, b in (align(tokens, *span) for span in spans)] == [
        "anti",
        "1990",
    ]
    assert align(segment(text)[0], 25, 29) is None
    assert align(tokens, 3, 4) is None


@given(st.one_of(st.text(max_size=200), MARKUP), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=4))
def test_every_visible_character_is_in_one_token_and_every_token_in_one_sentence(text, raw):
    spans = [(start, start + length) for start, length in raw if start + length <= len(text)]
    tokens, sentences = segment(text, spans)
    assert UNSEEN.sub("", "".join(text[start:end] for start, end in tokens)) == UNSEEN.sub("", text)
    assert all(UNSEEN.sub("", text[start:end]) for start, end in tokens)
    assert all(a[1] <= b[0] for a, b in pairwise(tokens))
    assert [token for start, end in sentences for token in tokens[start:end]] == list(tokens)
    assert all(start < end for start, end in sentences)
    for start, end in spans:
        if not UNSEEN.search(text[start:end]):
            first, last = align(tokens, start, end)
            assert (tokens[first][0], tokens[last - 1][1]) == (start, end)
            assert sum(low <= first and last <= high for low, high in sentences) == 1


@pytest.mark.parametrize("piece", ["a", "'", "“!", "word ", "A. ", "1,", "\n", "."])
def test_time_is_linear(piece):
    def cost(size: int) -> float:
        start = time.process_time()
        segment(piece * (size // len(piece)))
        return time.process_time() - start

    # Quadratic time would take 100 times as long for 10 times the text.
    assert cost(200_000) < 40 * cost(20_000) + 0.2


def test_long_sentences_are_not_cut_by_the_window():
    text = "word " * 3000 + "end. Next one."
    _, sentences = segment(text)
    assert [end - start for start, end in sentences] == [3002, 3]
