"""The flow on a tiny network: what training, the command and the figures rest on."""

import msgspec
import numpy as np
import pytest
import torch

from extractors.calibration import (
    calibrate,
    candidates_found,
    candidates_from_text,
    candidates_given_entities,
    figures_of,
    measure_reliability,
    plot_extractor,
    selection_scores,
)
from extractors.calibration.evidence_threshold import best_evidence_threshold
from extractors.encoder.featurizer import Featurizer
from extractors.inference.confidence import Calibration, RelationCalibration
from extractors.inference.extractor import Extractor
from extractors.network.evidence import evidence_sentences
from schemas import Fact
from tests.extractors.tiny import annotated, config, model, tokenizer
from tests.extractors.tiny import extractor as tiny_extractor

DOCUMENTS = [annotated(f"d{copies}", copies) for copies in (1, 2, 3)]
RELATIONS = ("R1", "R2", "R3")


def made(joint=True):
    network = model(joint=joint)
    return network, Featurizer(tokenizer(), network.config.whole_pieces, network.config.passage_pieces)


def test_every_allowed_relation_of_every_pair_is_a_candidate():
    found = candidates_given_entities(*made(), DOCUMENTS)
    # Six ordered pairs of three entities; R1 only from persons to places, which are 2 of them; R2 and R3 anywhere.
    assert len(found) == len(DOCUMENTS) * (6 * 2 + 2)
    assert found.correct.sum() == found.gold.sum() == 2 * len(DOCUMENTS)
    assert found.gold.tolist() == [[1, 0, 1]] * 3


def test_candidates_have_the_probabilities_that_extractions_state():
    network, featurizer = made(joint=False)
    found = candidates_given_entities(network, featurizer, DOCUMENTS)
    calibration = Calibration(scale=0.7, bias=-0.3, lines={"R2": (0.4, 0.1)}, relation_threshold=0.0)
    extractor = Extractor(network, featurizer, calibration)
    facts = [
        fact.probability
        for extraction in extractor.extract([featurizer.featurize(document) for document in DOCUMENTS])
        for fact in extraction.facts
    ]
    assert sorted(found.probabilities(calibration)) == pytest.approx(sorted(facts), abs=2e-3)


def test_facts_between_wrong_entities_are_wrong():
    network, featurizer = made()
    document = DOCUMENTS[0]
    extraction = Extractor(network, featurizer, Calibration(relation_threshold=0.0)).extract(
        [featurizer.featurize(document)]
    )[0]
    exact = candidates_found([document], [extraction], network.config.schema)
    assert exact.correct.sum() == 2
    persons = [msgspec.structs.replace(entity, type="PER") for entity in extraction.entities]
    wrong = msgspec.structs.replace(extraction, entities=tuple(persons))
    only_people = candidates_found([document], [wrong], network.config.schema)
    assert only_people.correct.sum() == 1  # R3 between two persons; R1 leads to what is no longer a place
    assert only_people.gold.sum() == 2


def test_scores_from_text_are_not_bent():
    extractor = tiny_extractor()
    extractor.calibration = Calibration(scale=9.0, bias=5.0)
    features = [extractor.featurize(msgspec.structs.replace(d, entities=None, facts=())) for d in DOCUMENTS]
    given = candidates_given_entities(extractor.model, extractor.featurizer, DOCUMENTS)
    raw = candidates_from_text(extractor, features, DOCUMENTS, given)
    assert len(raw)
    assert raw.score.min() >= given.lowest_useful_score()
    assert raw.score.min() < 0 or raw.score.max() > 1, "scores, not probabilities"
    assert extractor.calibration.scale == 9.0


@pytest.mark.parametrize("joint", [False, True])
def test_everything_is_chosen_and_stated(joint, tmp_path):
    network, featurizer = made(joint)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    calibration = calibrate(network, featurizer, DOCUMENTS, "dev")
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    assert calibration.selected_on == "dev"
    assert (calibration.given is not None) == (calibration.entities is not None) == joint
    given = calibration.relating(given=True)
    assert given.scale > 0
    assert 0 < given.relation_threshold < 1
    assert given.curve.threshold
    figures = figures_of(network, featurizer, calibration, DOCUMENTS)
    prefix = "given_" if joint else ""
    for name in ("ece", "ece_before", "ece_all", "ece_all_before", "brier", "brier_all_before", "ece_kept"):
        assert 0 <= figures[prefix + name] <= 1
    assert figures[f"{prefix}ece_all"] <= figures[f"{prefix}ece_all_before"]
    assert figures["documents"] == len(DOCUMENTS)
    levels = ("rel_nec", "entity", "given_relation", "given_intra") if joint else ("relation", "inter")
    for level in levels:
        assert 0 <= figures[f"{level}_f1_low"] <= figures[f"{level}_f1"] <= figures[f"{level}_f1_high"] <= 1
    assert 0 <= figures[f"{prefix}ece_low"] <= figures[f"{prefix}ece_high"]
    scores, score = selection_scores(network, featurizer, DOCUMENTS)
    assert score == pytest.approx(scores["rel_nec_best_f1" if joint else "f1"], abs=1e-4)
    pytest.importorskip("matplotlib")
    assert len(plot_extractor(network, featurizer, calibration, DOCUMENTS, tmp_path)) == 4


def test_no_share_has_a_better_evidence_f1():
    network, featurizer = made(joint=False)
    documents = [msgspec.structs.replace(d, facts=(*d.facts, Fact(2, "R2", 1, evidence=(1, 2)))) for d in DOCUMENTS]
    best = best_evidence_threshold(network, featurizer, documents)

    def f1(threshold):
        from extractors.inference.annotated_pairs import annotated_pairs, inference_copy

        right = chosen = total = 0
        with torch.inference_mode():
            for group, host, pairs in annotated_pairs(inference_copy(network), featurizer, documents):
                supports = evidence_sentences(pairs, threshold)
                order = {tuple(pair): row for row, pair in enumerate(host.pairs.tolist())}
                for place, at in enumerate(group):
                    for fact in documents[at].facts:
                        if fact.evidence:
                            support = supports[order[3 * place + fact.head, 3 * place + fact.tail]]
                            right += len(set(support) & set(fact.evidence))
                            chosen += len(support)
                            total += len(fact.evidence)
        return 2 * right / (chosen + total)

    assert f1(best) >= max(f1(threshold) for threshold in np.linspace(0, 1, 41)) - 1e-9
    bare = [msgspec.structs.replace(d, facts=()) for d in DOCUMENTS]
    assert best_evidence_threshold(network, featurizer, bare) is None


def test_trust_states_every_cut():
    network, featurizer = made(joint=False)
    part = RelationCalibration(relation_threshold=0.3, relation_thresholds={"R1": 0.9})
    extractor = Extractor(network, featurizer, Calibration(relation_threshold=0.02))
    found = candidates_found(
        DOCUMENTS, extractor.extract([featurizer.featurize(document) for document in DOCUMENTS]), network.config.schema
    )
    report = measure_reliability(found, part)
    assert [name for name, _, _ in report.thresholds] == ["best F1", "best F1 of each relation"]
    kept = found.score >= 0.3
    assert report.thresholds[0][2].predicted == kept.sum()
    assert report.thresholds[1][2].predicted == (kept & ((found.relation > 0) | (found.score >= 0.9))).sum()
    assert report.to_dict()["thresholds"]["best F1"]["threshold"] == 0.3
    assert "ECE" in str(report)


def test_the_tiny_schema_is_what_these_tests_count_on():
    assert tuple(config().schema.index) == RELATIONS
