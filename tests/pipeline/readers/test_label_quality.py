import gzip
import json

import pytest

from pipeline.readers.label_quality import BY_DOCUMENTS, BY_VOTES, MANY_DOCUMENTS, label_probability
from tests.pipeline.readers.files import documents, letters, read_all, write
from tests.pipeline.readers.test_docred import record


def labels(*origins):
    pairs = [(0, 1), (1, 0)]
    return [{"h": h, "t": t, "r": "P551", **origin} for (h, t), origin in zip(pairs, origins, strict=False)]


def facts(tmp_path, *origins):
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([record(labels=labels(*origins))]))))
    return [fact.probability for fact in document.facts]


def test_labels_of_annotators_are_certain(tmp_path):
    assert facts(tmp_path, {}) == [1.0]


def test_a_label_is_less_certain_the_more_documents_its_fact_fits(tmp_path):
    assert facts(tmp_path, {"ndoc": 1}, {"ndoc": 9}) == [BY_DOCUMENTS[1], MANY_DOCUMENTS]
    values = [label_probability(ndoc=count) for count in range(1, 8)]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < values[0] < 1


def test_a_label_is_more_certain_the_more_systems_voted_for_it(tmp_path):
    assert facts(tmp_path, {"docunet": 2, "emiya": 1}, {"docunet": 1}) == [BY_VOTES[2][1], BY_VOTES[1][0]]
    for other in (0, 1):
        values = [label_probability(docunet=votes, emiya=other) for votes in range(4)]
        assert values == sorted(values)
    assert all(with_other > without for without, with_other in BY_VOTES.values())


@pytest.mark.parametrize(
    ("origin", "message"), [({"docunet": 4, "emiya": 0}, "docunet is 4"), ({"ndoc": 0}, "ndoc is 0")]
)
def test_an_impossible_count_costs_the_label_and_is_named(origin, message, tmp_path):
    items = read_all(write(tmp_path / "a.json", json.dumps([record(labels=labels(origin, {}))])))
    [found], [document] = letters(items), documents(items)
    assert found.reason == "label with an impossible origin"
    assert message in found.detail
    assert "P551" in found.detail
    assert [(fact.head, fact.tail) for fact in document.facts] == [(1, 0)]


def test_a_label_that_occurs_twice_is_as_certain_as_its_best_one(tmp_path):
    twice = [*labels({"ndoc": 9}), *labels({"ndoc": 1})]
    [document] = documents(read_all(write(tmp_path / "a.json", json.dumps([record(labels=twice)]))))
    assert [fact.probability for fact in document.facts] == [BY_DOCUMENTS[1]]


def test_the_file_may_be_compressed(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps([record(labels=labels({"ndoc": 2}))]).encode()))
    [document] = documents(read_all(path))
    assert [fact.probability for fact in document.facts] == [BY_DOCUMENTS[2]]
