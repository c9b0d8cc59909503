import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from extractors.encoder.featurizer import Featurizer
from extractors.training.masking import mask_id, mask_words
from tests.extractors.tiny import plain, tokenizer

MASK = 9_999


def passage(text="The Quick brown fox lives in Oslo . "):
    return Featurizer(tokenizer(), 10_000).featurize(plain(text)).passages[0]


@given(st.floats(0, 1), st.integers(0, 99))
def test_words_are_hidden_as_a_whole_and_nothing_else_changes(share, seed):
    before = passage()
    after = mask_words(before, share, MASK, np.random.default_rng(seed))
    hidden = after.pieces == MASK
    assert (after.pieces[~hidden] == before.pieces[~hidden]).all()
    for start, end in zip(before.word_pieces[:-1], before.word_pieces[1:], strict=True):
        assert hidden[start:end].all() or not hidden[start:end].any()
    assert after.pieces.dtype == before.pieces.dtype
    assert MASK not in before.pieces
    for name in ("shapes", "word_pieces", "sentences", "types", "orders"):
        assert getattr(after, name) is getattr(before, name)


def test_the_share_is_that_of_the_words():
    long = passage("The Quick brown fox lives in Oslo . " * 200)
    after = mask_words(long, 0.25, MASK, np.random.default_rng(0))
    hidden = [(after.pieces[start] == MASK) for start in after.word_pieces[:-1]]
    assert np.mean(hidden) == pytest.approx(0.25, abs=0.04)  # 1,600 words: four standard deviations


@pytest.mark.parametrize("names", [["[MASK]"], ["<mask>"], ["<mask>", "[MASK]"], ["[MASK]", "<mask>"]])
def test_the_mask_token_is_that_of_the_encoder(names):
    # MPNet's vocabulary has both, and was trained with the one in angle brackets.
    pieces = {"[UNK]": 0, **{name: number for number, name in enumerate(names, 1)}}
    expected = pieces["<mask>" if "<mask>" in names else "[MASK]"]
    assert mask_id(Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))) == expected


def test_an_encoder_without_a_mask_token_is_refused():
    with pytest.raises(ValueError, match="leave out 'masking'"):
        mask_id(tokenizer())
