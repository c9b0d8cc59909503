from hypothesis import given
from hypothesis import strategies as st

from extractors.encoder.entity_markers import annotate, first_mention_order
from extractors.encoder.featurizer import Featurizer
from tests.extractors.tiny import plain, tokenizer

STAR = tokenizer().token_to_id("-")
TEXT = "Anna Berg lives in the town of Oslo ."


def passage():
    return Featurizer(tokenizer()).featurize(plain(TEXT)).passages[0]


def pieces_of(told, word):
    return told.pieces[told.word_pieces[word] : told.word_pieces[word + 1]].tolist()


spans = st.tuples(st.integers(0, 7), st.integers(1, 3)).map(lambda span: (span[0], min(span[0] + span[1], 9)))


@given(st.lists(st.lists(spans, min_size=1, max_size=3), max_size=5))
def test_markers_stand_around_the_words_of_mentions_and_nothing_else_changes(clusters):
    bare = passage()
    told = annotate(bare, clusters, [0] * len(clusters), embed=False, marker=STAR)
    starts = {start for cluster in clusters for start, _ in cluster}
    ends = {end for cluster in clusters for _, end in cluster}
    for word in range(9):
        expected = [STAR] * (word in starts) + pieces_of(bare, word) + [STAR] * (word + 1 in ends)
        assert pieces_of(told, word) == expected
    assert told.word_pieces[-1] == len(told.pieces) == len(told.shapes) == len(told.types) == len(told.orders)


@given(st.lists(st.lists(spans, min_size=1, max_size=3), min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_entities_does_not_matter(clusters, random):
    types = list(range(len(clusters)))
    shuffled = list(zip(clusters, types, strict=True))
    random.shuffle(shuffled)
    one = annotate(passage(), clusters, types, embed=True, marker=STAR)
    other = annotate(passage(), [c for c, _ in shuffled], [t for _, t in shuffled], embed=True, marker=STAR)
    assert one.types.tolist() == other.types.tolist()
    assert one.orders.tolist() == other.orders.tolist()
    assert one.pieces.tolist() == other.pieces.tolist()


def test_pieces_learn_type_and_order_of_the_shorter_mention():
    bare = passage()
    told = annotate(bare, [[(4, 8)], [(7, 8)], [(0, 2)]], [2, 0, 1], embed=True, marker=None)
    first = [int(bare.word_pieces[word]) for word in range(9)]
    assert told.types[first].tolist() == [2, 2, 0, 0, 3, 3, 3, 1, 0]
    assert told.orders[first].tolist() == [0, 0, -1, -1, 1, 1, 1, 2, -1]
    assert first_mention_order([[(4, 8)], [(7, 8)], [(9, 9), (0, 2)], [(0, 2)]]) == [1, 2, 0, 0]


def test_a_told_entity_changes_the_markers_of_its_own_mention():
    told = annotate(passage(), [[(7, 8)]], [1], embed=True, marker=STAR)
    low, high = told.word_pieces[7], told.word_pieces[8]
    assert told.types[low:high].tolist() == [2] * (high - low)
    assert told.pieces[low] == told.pieces[high - 1] == STAR
