import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extractors.encoder.featurizer import (
    DIGITS,
    LOWER,
    MIXED,
    SYMBOL,
    TITLE,
    UPPER,
    Featurizer,
    passage_ranges,
    word_shape,
)
from schemas import Section
from tests.extractors.tiny import annotated, plain, tokenizer

WORD = st.text(st.characters(exclude_categories=["Zs", "Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8)


@given(st.lists(WORD, max_size=60), st.integers(1, 20))
def test_every_word_has_a_piece_and_every_piece_a_word(words, limit):
    features = Featurizer(tokenizer(), 0, limit).featurize(plain(" ".join(words)))
    assert sum(passage.words for passage in features.passages) == len(features.document.tokens)
    at = 0
    for passage in features.passages:
        assert passage.first_word == at
        at += passage.words
        assert passage.words == 1 or len(passage.pieces) <= limit
        assert (np.diff(passage.word_pieces) > 0).all()
        assert passage.word_pieces[0] == 0
        assert passage.word_pieces[-1] == len(passage.pieces) == len(passage.shapes)


def test_a_word_that_the_tokenizer_drops_becomes_unknown():
    passage = Featurizer(tokenizer()).featurize(plain("in \u200b in")).passages[0]
    assert passage.pieces.tolist() == [tokenizer().token_to_id("in"), 1, tokenizer().token_to_id("in")]


def test_passages_end_at_sentences_and_prefer_sections():
    document = plain("a b c . d e . f g h i j k l m n . o .")
    one_each = np.arange(len(document.tokens) + 1)
    assert passage_ranges(document, one_each, 8) == [(0, 7), (7, 15), (15, 19)]
    sectioned = replace(document, sections=(Section("S", 4),))
    assert passage_ranges(sectioned, one_each, 8) == [(0, 4), (4, 7), (7, 15), (15, 19)]


def test_short_documents_stay_whole():
    document = plain("a b c . d e . f g .")
    assert len(Featurizer(tokenizer(), 10, 4).featurize(document).passages) == 1
    assert len(Featurizer(tokenizer(), 9, 4).featurize(document).passages) == 3


def test_documents_with_given_entities_are_never_cut():
    document = annotated(copies=10)
    assert len(Featurizer(tokenizer(), 0, 20).featurize(document).passages) == 1


def test_a_document_without_tokens_has_no_passages():
    assert Featurizer(tokenizer()).featurize(plain("")).passages == ()


@pytest.mark.parametrize(
    ("word", "shape"),
    [("the", LOWER), ("Paris", TITLE), ("I", TITLE), ("USA", UPPER), ("McCoy", MIXED), ("1999", DIGITS), (",", SYMBOL)],
)
def test_word_shapes(word, shape):
    assert word_shape(word) == shape
