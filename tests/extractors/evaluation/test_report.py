"""The report as a whole: properties that hold for every input, errors, JSON and the table."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.evaluation import EvaluationError, TrainFacts, evaluate
from schemas.document import Extraction, Fact
from schemas.relation_schema import load_relation_schema

from .sample import document, entity, extraction, perfect

SCHEMA = load_relation_schema("docred")
RELATIONS = ("P17", "P19", "P26")
WORDS = ["a b c d e f", "a b c d e f"]
SPANS = st.integers(0, 11).map(lambda start: (start, start + 1))


@st.composite
def annotations(draw):
    """Entities with different clusters, and facts among them."""
    clusters = draw(st.lists(st.frozensets(SPANS, min_size=1, max_size=3), max_size=5, unique=True))
    entities = tuple(entity(*sorted(c), type=draw(st.sampled_from(["PER", "LOC"]))) for c in clusters)
    index = st.integers(0, max(len(entities) - 1, 0))
    fact = st.builds(Fact, index, st.sampled_from(RELATIONS), index, st.just(1.0), st.sampled_from([(), (0,), (0, 1)]))
    return entities, tuple(draw(st.lists(fact, max_size=6))) if entities else ()


@st.composite
def corpora(draw):
    """Gold documents and predictions that share some entities with them."""
    gold, predicted = [], []
    for number in range(draw(st.integers(1, 3))):
        entities, facts = draw(annotations())
        gold.append(document(f"d{number}", WORDS, entities, facts))
        kind = draw(st.sampled_from(["other", "same entities", "missing"]))
        if kind == "other":
            predicted.append(Extraction(f"d{number}", *draw(annotations())))
        elif kind == "same entities":
            predicted.append(Extraction(f"d{number}", entities, facts[::2]))
    return gold, predicted


def all_scores(report):
    """Every dictionary with an F1 in the report."""
    found, waiting = [], [report.to_dict()]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            if "f1" in value:
                found.append(value)
    return found


@settings(deadline=None)
@given(corpora())
def test_ratios_and_counts_keep_their_bounds(corpus):
    gold, predicted = corpus
    report = evaluate(gold, predicted, SCHEMA, TrainFacts.collect(gold[:1]))
    for score in all_scores(report):
        assert 0 <= score["precision"] <= 1
        assert 0 <= score["recall"] <= 1
        assert 0 <= score["f1"] <= 1
        if "labels" not in score:  # a mean over labels has no counts, and its F1 may lie below both its ratios
            assert min(score["precision"], score["recall"]) - 1e-9 <= score["f1"]
            assert score["correct"] <= min(score["gold"], score["predicted"])
    strict = report.strict
    assert strict["entity"].correct <= strict["coreference"].correct
    assert strict["rel_nec"].correct <= strict["rel"].correct
    sides = report.relations
    assert sides.intra.gold + sides.inter.gold == sides.overall.gold
    assert sum(score.correct for score in sides.by_relation.values()) == sides.overall.correct
    assert sides.ign.precision <= sides.overall.precision
    assert sides.ign.recall == sides.overall.recall


@settings(deadline=None)
@given(corpora())
def test_perfect_predictions_score_one_wherever_there_is_gold(corpus):
    gold, _ = corpus
    report = evaluate(gold, [perfect(d) for d in gold], SCHEMA)
    for score in all_scores(report):
        if score.get("gold"):
            assert score["precision"] == score["recall"] == score["f1"] == 1
        else:
            assert score.get("predicted", 0) == 0
    assert report.relations.entities_given == any(d.entities for d in gold)


@settings(deadline=None)
@given(corpora(), st.randoms(use_true_random=False))
def test_order_does_not_matter(corpus, random):
    gold, predicted = corpus
    before = evaluate(gold, predicted, SCHEMA).to_dict()
    shuffled = [_shuffle(e, random) for e in predicted]
    random.shuffle(shuffled)
    other_gold = list(gold)
    random.shuffle(other_gold)
    assert evaluate(other_gold, shuffled, SCHEMA).to_dict() == before


def _shuffle(prediction, random):
    """The same extraction with its entities, facts and their evidence in another order."""
    order = list(range(len(prediction.entities)))
    random.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    facts = [Fact(place[f.head], f.relation, place[f.tail], f.probability, f.evidence[::-1]) for f in prediction.facts]
    random.shuffle(facts)
    return Extraction(prediction.document_id, tuple(prediction.entities[i] for i in order), tuple(facts))


ANN = document("ann", ["a b"], (entity((0, 1)), entity((1, 2))), (Fact(0, "P26", 1),))


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([ANN], [perfect(ANN), perfect(ANN)], "'ann' is predicted twice"),
        ([ANN, ANN], [], "'ann' occurs twice"),
        ([ANN], [extraction("bob")], "'bob' is predicted but is not among"),
        ([document("raw", ["a"], None)], [], "'raw' has no gold entities"),
        ([ANN], [extraction("ann", (entity((0, 1)),), (Fact(0, "P26", 1),))], "predicted fact 0 P26 1 names"),
        ([document("d", ["a"], (entity((0, 1)),), (Fact(0, "CID", 0),))], [], "'CID' is not in the schema 'docred'"),
    ],
)
def test_what_does_not_fit_together_is_named(gold, predicted, message):
    with pytest.raises(EvaluationError, match=message):
        evaluate(gold, predicted, SCHEMA)


def test_json_holds_the_figures():
    data = json.loads(evaluate([ANN], [perfect(ANN)], SCHEMA, TrainFacts.collect([])).to_json())
    assert data["strict"]["rel_nec"] == {
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "gold": 1,
        "predicted": 1,
        "correct": 1,
        "precision_interval": [1.0, 1.0],
        "recall_interval": [1.0, 1.0],
        "f1_interval": [1.0, 1.0],
    }
    assert data["relations"]["by_relation"]["P26"]["label"] == "spouse"
    assert data["relations"]["ign"]["seen"] == 0
    assert "without_hypernyms" not in data["relations"]


def test_the_table_is_readable():
    lines = str(evaluate([ANN], [extraction("ann", ANN.entities)], SCHEMA)).splitlines()
    assert lines[0] == "documents: 1"
    row = next(line for line in lines if line.startswith("relation (rel_nec)"))
    assert row.split()[-9:] == ["0.00", "0.00", "0.00", "1", "0", "0", "0.0", "to", "0.0"]
    row = next(line for line in lines if line.startswith("coreference"))
    assert row.split()[-9:] == ["100.00", "100.00", "100.00", "2", "2", "2", "100.0", "to", "100.0"]
    assert any(line.startswith("P26 spouse") for line in lines)
    assert "relations, entities given" in "\n".join(lines)
