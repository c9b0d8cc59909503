"""The model that comes with factmill, and a graph of a few texts, each made once for all tests."""

import pytest

import factmill

TEXTS = [
    "Marie Curie was born in Warsaw. She married Pierre Curie in 1895.",
    "Pierre Curie was born in Paris. He was a French physicist.",
]


@pytest.fixture(scope="session")
def model():
    return factmill.load("docred-minilm")


@pytest.fixture(scope="session")
def graph(tmp_path_factory):
    return factmill.build(TEXTS, tmp_path_factory.mktemp("facade") / "people", min_confidence=0.5)
