"""The record of a calibration: the form on disk, and what cuts do to it."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from extractors.checkpoints.checkpoint import CheckpointError, load_calibration, save_calibration
from extractors.inference.confidence import DIGITS, Calibration, Curve, PrecisionError, RelationCalibration
from extractors.inference.entity_confidence import EntityConfidence
from schemas import Extraction, Fact

CURVE = Curve(
    threshold=(0.2, 0.5, 0.8), precision=(0.5, 0.8, 0.9), recall=(0.9, 0.6, 0.3), lower_bound=(0.4, 0.75, 0.85)
)
OWN = {"relation_threshold": 0.4, "relation_thresholds": {"R1": 0.7, "R2": 0.1}}
NUMBERS = st.floats(-10, 10)
PARTS = st.builds(
    RelationCalibration,
    method=st.sampled_from(["platt", "isotonic by relation"]),
    scale=NUMBERS,
    lines=st.dictionaries(st.sampled_from(["R1", "R2"]), st.tuples(NUMBERS, NUMBERS)),
    knots=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3).map(tuple),
    relation_thresholds=st.dictionaries(st.sampled_from(["R1", "R2"]), st.floats(0, 1)),
    curve=st.just(CURVE),
)


@given(PARTS, st.none() | PARTS)
def test_the_form_on_disk_is_read_back(tmp_path_factory, own, given):
    folder = tmp_path_factory.mktemp("form")
    calibration = Calibration(**msgspec.structs.asdict(own), given=given, selected_on="dev [0:3]")
    save_calibration(folder, calibration)
    assert load_calibration(folder) == calibration
    assert [path.name for path in folder.iterdir()] == ["calibration.json"]


def test_lists_of_numbers_are_one_line(tmp_path):
    save_calibration(tmp_path, Calibration(curve=CURVE, lines={"R1": (1.0, 2.0)}))
    lines = (tmp_path / "calibration.json").read_text().splitlines()
    assert '    "R1": [ 1.0, 2.0 ]' in lines
    assert len(lines) < 30


def test_a_form_with_a_line_alone_is_read(tmp_path):
    old = {"relation_threshold": 0.4, "scale": 0.9, "bias": 0.6, "selected_on": "dev", "figures": {}}
    (tmp_path / "calibration.json").write_text(json.dumps(old))
    calibration = load_calibration(tmp_path)
    assert calibration.relating(given=True) is calibration
    scores = np.array([[-1.0, 3.0]])
    assert calibration.probabilities(scores, ("R1", "R2")) == pytest.approx(expit(0.9 * scores + 0.6), abs=1e-4)
    (tmp_path / "calibration.json").write_text('{"slope": 1}')
    with pytest.raises(CheckpointError, match="slope"):
        load_calibration(tmp_path)


def test_relations_have_their_own_lines_and_cuts():
    part = RelationCalibration(scale=1.0, bias=0.0, lines={"R2": (2.0, 1.0)}, **OWN)
    found = part.probabilities(np.array([[0.5, 0.5, 0.5]]), ("R1", "R2", "R3"))
    assert found[0] == pytest.approx(expit([0.5, 2.0, 0.5]), abs=1e-4)
    assert part.thresholds(("R1", "R2", "R3")).tolist() == [0.7, 0.1, 0.4]


@st.composite
def rising_parts(draw):
    """Calibrations as they are fitted: every map rises."""
    lines = st.tuples(st.floats(0.1, 3), st.floats(-3, 3))
    at, logits = (sorted(draw(st.lists(st.integers(-50, 50), min_size=3, max_size=3, unique=True))) for _ in range(2))
    scale, bias = draw(lines)
    return RelationCalibration(
        scale=scale,
        bias=bias,
        lines=draw(st.dictionaries(st.sampled_from(["R1", "R2"]), lines)),
        knots=draw(st.sampled_from([(), tuple((a / 10, b / 10) for a, b in zip(at, logits, strict=True))])),
        ceiling=draw(st.sampled_from([1.0, 0.95])),
        relation_threshold=draw(st.floats(0, 1.1)),
        relation_thresholds=draw(st.dictionaries(st.sampled_from(["R1", "R2"]), st.floats(0, 1))),
    )


@given(rising_parts(), st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_scores_are_found_from_probabilities(part, scores):
    names = ("R1", "R2", "R3")
    lines = part.lines_of(names)
    probabilities = part.on_line(np.array(scores) * lines[:, 0] + lines[:, 1])
    back = part.scores_for(probabilities, names)
    assert part.on_line(back * lines[:, 0] + lines[:, 1]) == pytest.approx(probabilities, rel=1e-6, abs=1e-9)


@given(
    rising_parts(),
    rising_parts(),
    st.none() | st.lists(st.floats(0.001, 1), min_size=2, max_size=2),
    st.booleans(),
    st.lists(st.floats(-20, 20) | st.just(np.nan), min_size=6, max_size=6),
)
def test_facts_are_those_that_a_loop_over_all_scores_finds(own, of_given, sure, doubt, values):
    names = ("R1", "R2", "R3")
    entities = EntityConfidence() if doubt else None
    calibration = Calibration(**msgspec.structs.asdict(own), given=of_given, entities=entities)
    scores = np.array(values).reshape(2, 3)
    part = of_given if sure is None else own
    wanted = []
    for pair in range(2):
        for relation in range(3):
            score = scores[pair, relation]
            if sure is not None and doubt:
                scale, bias = of_given.lines_of(names)[relation]
                score = logit(of_given.on_line(scale * score + bias) * sure[pair])
            scale, bias = part.lines_of(names)[relation]
            probability = float(part.on_line(scale * score + bias).round(DIGITS))
            if probability >= part.thresholds(names)[relation]:
                wanted.append((pair, relation, probability))
    found = calibration.facts(scores, names, None if sure is None else np.array(sure))
    assert [tuple(row) for row in zip(*(column.tolist() for column in found), strict=True)] == wanted


def test_facts_between_doubtful_entities_are_less_sure():
    calibration = Calibration(entities=EntityConfidence(), given=RelationCalibration(), relation_threshold=0.1)
    _, _, probability = calibration.facts(np.array([[1.0], [1.0]]), ("R1",), np.array([0.9, 0.5]))
    assert probability == pytest.approx(expit(1.0) * np.array([0.9, 0.5]), abs=1e-4)


def test_facts_below_their_cut_are_left_out():
    facts = tuple(Fact(0, relation, 1, p) for relation in ("R1", "R2", "R3") for p in (0.05, 0.1, 0.4, 0.7))
    kept = RelationCalibration(**OWN).keep(Extraction("d", (), facts)).facts
    assert [(fact.relation, fact.probability) for fact in kept] == [
        ("R1", 0.7),
        ("R2", 0.1),
        ("R2", 0.4),
        ("R2", 0.7),
        ("R3", 0.4),
        ("R3", 0.7),
    ]


def test_cuts_hold_whether_entities_are_given_or_not():
    calibration = Calibration(**OWN, curve=CURVE, given=RelationCalibration(**OWN, curve=CURVE))
    for known in (False, True):
        part = calibration.with_threshold(0.3).relating(known)
        assert part.thresholds(("R1", "R2")).tolist() == [0.3, 0.3]
        part = calibration.at_least(0.3).relating(known)
        assert part.thresholds(("R1", "R2", "R3")).tolist() == [0.3, 0.1, 0.3]
        assert calibration.at_least(0.9).relating(known).thresholds(("R1", "R2", "R3")).tolist() == [0.7, 0.1, 0.4]
        assert calibration.at_precision(0.7).relating(known).thresholds(("R1", "R2")).tolist() == [0.5, 0.5]
        with pytest.raises(PrecisionError, match=r"bound is at most 0.850 \(with recall 0.300\)"):
            calibration.at_precision(0.9)
