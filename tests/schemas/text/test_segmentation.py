import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text.segmentation import align, segment

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
    ],
)
def test_tokens(text, expected):
    assert words(text) == expected.split()


def test_sentences_end_where_told_and_not_inside_spans():
    text = "A title without a stop\nIt stood on St. Mark. Square was near."
    tokens, sentences = segment(text, spans=[(text.index("St."), text.index(" was"))], breaks=[23])
    found = [text[tokens[start][0] : tokens[end - 1][1]] for start, end in sentences]
    assert found == ["A title without a stop", "It stood on St. Mark. Square was near."]


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
    assert "".join(text[start:end] for start, end in tokens) == re.sub(r"\s", "", text)
    assert all(a[1] <= b[0] for a, b in pairwise(tokens))
    assert [token for start, end in sentences for token in tokens[start:end]] == list(tokens)
    assert all(start < end for start, end in sentences)
    for start, end in spans:
        if text[start:end].strip() and not re.search(r"\s", text[start:end]):
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
