import numpy as np
import pytest
import torch
from msgspec.structs import replace

from extractors.recipes.recipe import Corpus, Stage
from extractors.training import pseudo_labels
from extractors.training import trainer as training
from extractors.training.pseudo_labels import add_pseudo_labels, cached_pseudo_labels
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
        _, host, pairs = next(pseudo_labels.annotated_pairs(teacher.model, teacher.featurizer, [document]))
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
    labelled = add_pseudo_labels(DOCUMENTS, teachers, cut)
    assert [document.id for document in labelled] == [document.id for document in DOCUMENTS]
    assert labelled[1] == DOCUMENTS[1]
    added = 0
    for before, after in zip(DOCUMENTS, labelled, strict=True):
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
    assert add_pseudo_labels(DOCUMENTS, [extractor()], 1.1) == DOCUMENTS


def test_teachers_have_to_predict_the_same_relations():
    other = extractor(relations=RELATIONS.replace("R3", "R4"))
    with pytest.raises(ValueError, match="different relations"):
        add_pseudo_labels(DOCUMENTS, [extractor(), other], 0.5)
    with pytest.raises(ValueError, match="need a teacher"):
        add_pseudo_labels(DOCUMENTS, [], 0.5)


def test_it_tells_how_far_it_is(monkeypatch):
    told = []
    monkeypatch.setattr(pseudo_labels, "BLOCK", 3)
    add_pseudo_labels(DOCUMENTS, [extractor(), extractor()], 0.5, told.append)
    assert told == [0, 1, 3, 3, 4]


def test_a_run_completes_its_documents_once(tmp_path, monkeypatch):
    teacher = str(save(tmp_path / "teacher"))
    told = []
    first = cached_pseudo_labels(DOCUMENTS, [teacher], 0.6, tmp_path, told.append)
    assert told == [0, len(DOCUMENTS)]
    monkeypatch.setattr(pseudo_labels, "load_extractor", None)  # a second completion would fail
    assert cached_pseudo_labels(DOCUMENTS, [teacher], 0.6, tmp_path, told.append) == first
    assert told == [0, len(DOCUMENTS)]
    with pytest.raises(TypeError):
        cached_pseudo_labels(DOCUMENTS, [teacher], 0.7, tmp_path)


def test_a_stage_learns_from_pseudo_labels(tmp_path):
    teacher = str(save(tmp_path / "teacher"))
    corpus = Corpus("train", teachers=(teacher,), pseudo_label_threshold=0.001)
    told = []
    run = training._Run(recipe(), CORPORA, tmp_path / "run", told.append)
    found = run._examples(Stage((corpus,), 1))
    total = len(CORPORA["train"])
    assert told == [training.PseudoLabelling("train", 0, total), training.PseudoLabelling("train", total, total)]
    plain_examples = run._examples(Stage((Corpus("train"),), 1))
    assert np.sum([len(e.document.facts) for e in found]) > np.sum([len(e.document.facts) for e in plain_examples])
    assert len(list((tmp_path / "run").glob("pseudo-labels-*.msgpack"))) == 1
    assert {fact.probability for example in found for fact in example.document.facts} == {1.0}
    soft = run._examples(Stage((replace(corpus, soft_labels=True),), 1))
    assert [facts(e.document) for e in soft] == [facts(e.document) for e in found]
    assert all(example.soft_labels for example in soft)
    assert not any(example.soft_labels for example in found)
    assert 0 < min(fact.probability for example in soft for fact in example.document.facts) < 1
