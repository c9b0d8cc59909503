import numpy as np
import pytest
import torch
from msgspec.structs import replace

from extractors.training import pseudo_labels as completion
from extractors.training import trainer as training
from extractors.training.pseudo_labels import close_facts, complete_facts, completed_once
from extractors.training.recipe import Corpus, Stage
from schemas import Fact, parse_relation_schema
from tests.extractors.tiny import RELATIONS, annotated, extractor, plain, save
from tests.extractors.training.test_trainer import CORPORA, recipe, tiny_backbone  # noqa: F401 - a fixture

DOCUMENTS = [
    annotated("a", copies=2),
    replace(plain("nobody here ."), entities=()),
    annotated("b"),
    replace(annotated("c", copies=3), facts=()),
]


def facts(document):
    return {(fact.head, fact.relation, fact.tail) for fact in document.facts}


def probabilities(teacher, document):
    """The teacher's probability of every fact, one document at a time."""
    with torch.inference_mode():
        _, host, pairs = next(completion.annotated_pairs(teacher.model, teacher.preparer, [document]))
        scores = teacher.model.relation_scores(pairs).double().numpy()
    names = [relation.id for relation in teacher.schema.relations]
    found = teacher.calibration.probabilities(scores, names)
    values = {
        (h, name, t): p
        for (h, t), row in zip(host.pairs.tolist(), found, strict=True)
        for name, p in zip(names, row, strict=True)
    }
    types = [entity.type for entity in document.entities]
    for h, name, t in list(values):
        if name == "R1" and (types[h], types[t]) != ("PER", "LOC"):  # the schema does not allow it
            values[h, name, t] = 0.0
    return values


def test_facts_are_the_annotated_ones_and_those_that_teachers_find_on_average():
    teachers = [extractor("jerex-mrc"), extractor("atlop", loss="adaptive-threshold", joint=True)]
    values = [list(probabilities(teacher, DOCUMENTS[0]).values()) for teacher in teachers]
    cut = float(np.quantile(np.mean(values, 0), 0.7)) + 1e-6
    completed = complete_facts(DOCUMENTS, teachers, cut)
    assert [document.id for document in completed] == [document.id for document in DOCUMENTS]
    assert completed[1] == DOCUMENTS[1]
    added = 0
    for before, after in zip(DOCUMENTS, completed, strict=True):
        if not before.entities:
            continue
        first, second = (probabilities(teacher, before) for teacher in teachers)
        expected = {key for key in first if (first[key] + second[key]) / 2 >= cut}
        assert facts(after) == facts(before) | expected
        assert after.facts[: len(before.facts)] == before.facts
        assert len(after.facts) == len(facts(after))
        added += len(after.facts) - len(before.facts)
    assert added > 0


def test_a_cut_above_one_adds_nothing():
    assert complete_facts(DOCUMENTS, [extractor()], 1.1) == DOCUMENTS


def test_teachers_have_to_predict_the_same_relations():
    other = extractor(relations=RELATIONS.replace("R3", "R4"))
    with pytest.raises(ValueError, match="different relations"):
        complete_facts(DOCUMENTS, [extractor(), other], 0.5)
    with pytest.raises(ValueError, match="no teacher"):
        complete_facts(DOCUMENTS, [], 0.5)


def test_inverse_and_symmetric_relations_are_closed():
    schema = parse_relation_schema(
        """
name: family
entity_types: [PER]
relations:
  - {id: parent, label: parent, iri: "http://example.org/1", inverse: child}
  - {id: child, label: child, iri: "http://example.org/2", inverse: parent}
  - {id: spouse, label: spouse, iri: "http://example.org/3", symmetric: true}
  - {id: likes, label: likes, iri: "http://example.org/4"}
"""
    )
    given = (Fact(0, "parent", 1, evidence=(2,)), Fact(1, "spouse", 2), Fact(0, "likes", 2))
    closed = close_facts(replace(annotated(), facts=given), schema)
    assert closed.facts[:3] == given
    assert facts(closed) == facts(replace(annotated(), facts=given)) | {(1, "child", 0), (2, "spouse", 1)}
    assert next(fact for fact in closed.facts if fact.relation == "child").evidence == (2,)
    assert close_facts(closed, schema) == closed


def test_it_tells_how_far_it_is(monkeypatch):
    told = []
    monkeypatch.setattr(completion, "BLOCK", 3)
    complete_facts(DOCUMENTS, [extractor(), extractor()], 0.5, told.append)
    assert told == [0, 1, 3, 3, 4]


def test_a_run_completes_its_documents_once(tmp_path, monkeypatch):
    teacher = str(save(tmp_path / "teacher"))
    told = []
    first = completed_once(DOCUMENTS, [teacher], 0.6, tmp_path, told.append)
    assert told == [0, len(DOCUMENTS)]
    monkeypatch.setattr(completion, "load_extractor", None)  # a second completion would fail
    assert completed_once(DOCUMENTS, [teacher], 0.6, tmp_path, told.append) == first
    assert told == [0, len(DOCUMENTS)]
    with pytest.raises(TypeError):
        completed_once(DOCUMENTS, [teacher], 0.7, tmp_path)


def test_a_stage_learns_from_completed_facts(tmp_path):
    teacher = str(save(tmp_path / "teacher"))
    corpus = Corpus("train", completed_by=(teacher,), completion_cut=0.001, closed=True)
    told = []
    run = training._Run(recipe(), CORPORA, tmp_path / "run", told.append)
    found = run._examples(Stage((corpus,), 1))
    total = len(CORPORA["train"])
    assert told == [training.Completing("train", 0, total), training.Completing("train", total, total)]
    plain_examples = run._examples(Stage((Corpus("train"),), 1))
    assert np.sum([len(e.document.facts) for e in found]) > np.sum([len(e.document.facts) for e in plain_examples])
    assert len(list((tmp_path / "run").glob("completed-*.msgpack"))) == 1
    assert {fact.probability for example in found for fact in example.document.facts} == {1.0}
    soft = run._examples(Stage((replace(corpus, soft=True),), 1))
    assert [facts(e.document) for e in soft] == [facts(e.document) for e in found]
    assert all(example.soft for example in soft)
    assert not any(example.soft for example in found)
    assert 0 < min(fact.probability for example in soft for fact in example.document.facts) < 1
