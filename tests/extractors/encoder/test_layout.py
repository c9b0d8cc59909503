import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors.encoder.featurizer import Featurizer
from extractors.encoder.layout import candidate_spans, lay_out_entities, lay_out_words, mention_pairs, ordered_pairs
from tests.extractors.tiny import plain, tokenizer


def words_of(*texts, limit=512):
    featurizer = Featurizer(tokenizer(), limit, limit)
    return lay_out_words([passage for text in texts for passage in featurizer.featurize(plain(text)).passages])


def test_spans_stay_inside_sentences_and_passages():
    words = words_of("a b c . d e .", "f g .")
    start, end = candidate_spans(words, 3)
    found = set(zip(start.tolist(), end.tolist(), strict=True))
    sentences = [(0, 4), (4, 7), (7, 10)]
    expected = {(i, j) for low, high in sentences for i in range(low, high) for j in range(i + 1, min(i + 3, high) + 1)}
    assert found == expected


def test_spans_do_not_cross_a_cut_inside_a_long_sentence():
    start, end = candidate_spans(words_of("a b c d e f", limit=3), 4)
    assert (3 - start[end > 3] <= 0).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_ordered_pairs_are_all_pairs_inside_each_group(counts):
    expected = []
    base = 0
    for count in counts:
        expected += [(base + i, base + j) for i in range(count) for j in range(count) if i != j]
        base += count
    assert [tuple(pair) for pair in ordered_pairs(np.array(counts)).tolist()] == expected


def test_mention_pairs_of_an_entity_pair_are_one_range():
    words = words_of("a b c d e f g h .")
    clusters = [[[(0, 1), (2, 3)], [(4, 5)], [(5, 6), (6, 7), (7, 8)]]]
    layout = lay_out_entities(clusters, words)
    heads, tails, first, end = mention_pairs(layout)
    for row, (head, tail) in enumerate(layout.pairs.tolist()):
        found = {
            (int(layout.mention_start[s1]), int(layout.mention_start[s2]))
            for s1, s2 in zip(heads[first[row] : end[row]], tails[first[row] : end[row]], strict=True)
        }
        assert found == {(a, b) for a, _ in clusters[0][head] for b, _ in clusters[0][tail]}
    assert int(end[-1]) == len(heads)


def test_positions_count_over_the_batch():
    words = words_of("ab c .", "d .")
    assert words.first.tolist() == [0, 3, 5]
    assert words.piece.tolist() == [0, 2, 3, 4, 5, 6]
    assert words.sentence.tolist() == [0, 0, 0, 1, 1]
    layout = lay_out_entities([[[(0, 1)]], [[(0, 1)]]], words)
    assert layout.mention_start.tolist() == [0, 3]
    assert torch.equal(layout.entity_passage, torch.tensor([0, 1]))
