from itertools import combinations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from extractors.inference.coreference import ALWAYS, NEVER, cluster, constrain
from schemas import Mention


@st.composite
def similarities(draw):
    count = draw(st.integers(0, 8))
    values = draw(st.lists(st.integers(0, 100), min_size=count * count, max_size=count * count))
    matrix = np.array(values, float).reshape(count, count) / 100
    matrix = np.maximum(matrix, matrix.T)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def mean_of(matrix, one, other):
    return matrix[np.ix_(one, other)].mean()


@given(similarities(), st.integers(1, 99))
def test_no_two_clusters_are_as_similar_as_the_threshold_and_every_mention_is_in_one(matrix, percent):
    clusters = cluster(matrix, percent / 100)
    assert sorted(i for group in clusters for i in group) == list(range(len(matrix)))
    for one, other in combinations(clusters, 2):
        assert mean_of(matrix, one, other) < percent / 100 + 1e-9
    assert [group[0] for group in clusters] == sorted(group[0] for group in clusters)


@given(similarities(), st.integers(1, 99))
def test_clusters_are_those_of_a_loop_that_joins_the_most_similar_two(matrix, percent):
    upper = np.triu_indices(len(matrix), 1)
    assume(len(set(matrix[upper])) == len(upper[0]))  # among equally similar ones any may be joined first
    clusters = [[i] for i in range(len(matrix))]
    while len(clusters) > 1:
        one, other = max(combinations(clusters, 2), key=lambda two: mean_of(matrix, *two))
        if mean_of(matrix, one, other) < percent / 100:
            break
        clusters = [group for group in clusters if group not in (one, other)] + [one + other]
    found = cluster(matrix, percent / 100)
    close = [abs(mean_of(matrix, one, other) - percent / 100) < 1e-9 for one, other in combinations(found, 2)]
    assume(not any(close))
    assert sorted(map(sorted, clusters)) == sorted(found)


def test_one_unlike_pair_does_not_keep_clusters_apart():
    matrix = np.array([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]])
    assert cluster(matrix, 0.5) == [[0, 1, 2]]
    assert sorted(map(len, cluster(matrix, 0.6))) == [1, 2]


@given(similarities(), st.integers(1, 99), st.lists(st.sampled_from(["", "wiki:A", "wiki:B"]), min_size=8, max_size=8))
def test_what_the_source_says_holds(matrix, percent, ids):
    mentions = [Mention(i, i + 1, kb_ids=(name,) if name else ()) for i, name in enumerate(ids[: len(matrix)])]
    constrain(matrix, mentions)
    clusters = cluster(matrix, percent / 100)
    for name in ("wiki:A", "wiki:B"):
        assert sum(any(ids[i] == name for i in group) for group in clusters) <= 1
    for group in clusters:
        assert len({ids[i] for i in group} - {""}) <= 1


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
    assert matrix[0, 1] == ALWAYS
    assert matrix[0, 2] == matrix[1, 2] == matrix[4, 5] == NEVER
    assert matrix[0, 3] == matrix[3, 4] == 0.6
    assert (matrix == matrix.T).all()
