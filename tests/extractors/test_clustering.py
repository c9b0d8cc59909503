import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extractors.clustering import cluster, constrain
from schemas import Mention


@st.composite
def similarities(draw):
    count = draw(st.integers(0, 8))
    values = draw(st.lists(st.integers(0, 100), min_size=count * count, max_size=count * count))
    matrix = np.array(values, float).reshape(count, count) / 100
    matrix = np.maximum(matrix, matrix.T)
    np.fill_diagonal(matrix, 1.0)
    return matrix


@given(similarities(), st.integers(1, 99))
def test_all_pairs_in_a_cluster_are_similar_and_every_mention_is_in_one(matrix, percent):
    clusters = cluster(matrix, percent / 100)
    assert sorted(i for group in clusters for i in group) == list(range(len(matrix)))
    for group in clusters:
        assert matrix[np.ix_(group, group)].min() >= percent / 100 - 1e-9
    assert [group[0] for group in clusters] == sorted(group[0] for group in clusters)


def test_complete_linkage_does_not_chain():
    matrix = np.array([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]])
    assert sorted(map(len, cluster(matrix, 0.5))) == [1, 2]


def test_the_source_decides():
    mentions = [
        Mention(0, 1, kb_ids=("wiki:Oslo",)),
        Mention(2, 3, kb_ids=("wiki:Oslo",)),
        Mention(4, 5, kb_ids=("wiki:Bergen",)),
        Mention(6, 7),
        Mention(8, 9, "PER"),
        Mention(10, 11, "LOC"),
    ]
    matrix = np.full((6, 6), 0.6)
    constrain(matrix, mentions)
    assert matrix[0, 1] == 1.0
    assert matrix[0, 2] == matrix[1, 2] == 0.0
    assert matrix[4, 5] == 0.0
    assert matrix[0, 3] == matrix[3, 4] == 0.6
    assert (matrix == matrix.T).all()
