"""Clues of clusters against a slow reference, and what follows from them."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.inference.entity_confidence import EntityConfidence, cluster_features, type_features
from tests.extractors.inference.test_coreference import similarities


@st.composite
def clustered(draw):
    similarity = draw(similarities())
    owner = [draw(st.integers(0, 3)) for _ in similarity]
    clusters = [[i for i, own in enumerate(owner) if own == number] for number in sorted(set(owner))]
    probability = np.array([draw(st.integers(0, 100)) / 100 for _ in similarity])
    return probability, similarity, clusters


@given(clustered())
def test_features_are_those_of_a_loop(made):
    probability, similarity, clusters = made

    def logarithm(value):
        return log(max(value, 1e-4))

    found = cluster_features(*made)
    assert found.shape == (len(clusters), 3)
    for row, members in zip(found, clusters, strict=True):
        others = [i for i in range(len(probability)) if i not in members]
        mentions = sum(logarithm(probability[i]) for i in members)
        inside = min((similarity[i, j] for i in members for j in members), default=1.0)
        outside = max((similarity[i, j] for i in members for j in others), default=0.0)
        assert row == pytest.approx([mentions, logarithm(inside), logarithm(1 - outside)])


def test_nothing_is_in_doubt_about_a_sure_mention_alone():
    features = cluster_features(np.ones(1), np.eye(1), [[0]])
    assert features.tolist() == [[0.0, 0.0, 0.0]]
    assert type_features(np.ones(1)).tolist() == [0.0]


@given(
    st.lists(st.floats(0, 10), min_size=4, max_size=4),
    st.lists(st.floats(-9, 0), min_size=4, max_size=4),
    st.integers(0, 3),
    st.floats(0, 5),
)
def test_confidence_grows_with_the_confidence_in_each_part(weights, features, part, more):
    confidence = EntityConfidence(*weights, bias=1.0)
    surer = np.array(features)
    surer[part] = min(0.0, surer[part] + more)
    before, after = confidence.probabilities(np.array([features, surer]))
    assert before <= after
