"""Relation scores from every side, counted by hand."""

import pytest

from extractors.evaluation import Average, Score, TrainFacts, UnseenScore, evaluate
from schemas.document import Fact
from schemas.relation_schema import load_relation_schema

from .sample import document, entity, extraction, perfect

SCHEMA = load_relation_schema("docred")

# 0    1     2  3    4 | 5     6  7  8      9 | 10  11     12 13
# Ann  lives in Bern . | Bern  is in Europe . | Ann founded Co .
ANN, BERN, EUROPE, CO = (
    entity((0, 1), (10, 11)),
    entity((3, 4), (5, 6), type="LOC"),
    entity((8, 9), type="LOC"),
    entity((12, 13), type="ORG"),
)
ENTITIES = (ANN, BERN, EUROPE, CO)
GOLD = document(
    "ann",
    ["Ann lives in Bern .", "Bern is in Europe .", "Ann founded Co ."],
    ENTITIES,
    (
        Fact(0, "P551", 1, 1.0, (0,)),  # Ann residence Bern: share sentence 0
        Fact(1, "P30", 2, 1.0, (1,)),  # Bern continent Europe: share sentence 1
        Fact(0, "P551", 2, 1.0, (0, 1)),  # Ann residence Europe: share none
        Fact(3, "P112", 0, 1.0, (2,)),  # Co founder Ann: share sentence 2
    ),
)
PREDICTED = extraction(
    "ann",
    ENTITIES,
    (
        Fact(0, "P551", 1, 0.9, (0, 2)),  # right, evidence 1 of 2 right
        Fact(0, "P551", 2, 0.8, (1,)),  # right, evidence 1 of 1 right
        Fact(3, "P112", 2, 0.7, (2,)),  # wrong tail, Co and Europe share no sentence
        Fact(1, "P17", 2, 0.6),  # wrong relation, shares sentence 1
        Fact(3, "P112", 0, 0.5),  # right, no evidence
    ),
)


def relations(**options):
    return evaluate([GOLD], [PREDICTED], SCHEMA, **options).relations


def test_overall_and_by_relation():
    scores = relations()
    assert scores.entities_given
    assert scores.overall == Score(gold=4, predicted=5, correct=3)
    assert scores.by_relation == {
        "P112": Score(1, 2, 1),
        "P17": Score(0, 1, 0),
        "P30": Score(1, 0, 0),
        "P551": Score(2, 2, 2),
    }
    # Precision: 1/2, 0, 0, 1. Recall: 1, 0, 0, 1. F1: 2/3, 0, 0, 1.
    assert scores.macro.precision == pytest.approx(1.5 / 4)
    assert scores.macro.recall == pytest.approx(2 / 4)
    assert scores.macro.f1 == pytest.approx((2 / 3 + 1) / 4)
    assert scores.macro.labels == 4


def test_within_and_across_sentences():
    scores = relations()
    # Intra. Gold: Ann-Bern, Bern-Europe, Co-Ann. Predicted: Ann-Bern, Bern P17 Europe, Co-Ann. Right: 2.
    assert scores.intra == Score(3, 3, 2)
    # Inter. Gold: Ann-Europe. Predicted: Ann-Europe, Co-Europe. Right: 1.
    assert scores.inter == Score(1, 2, 1)


def test_triangles():
    # Gold: Ann -> Bern -> Europe with Ann -> Europe: 3 facts; Co -> Ann has a third side to nobody.
    # Predicted: Ann -> Bern -> Europe, Ann -> Europe (3), and Co -> Ann -> Europe, Co -> Europe (2 more): all 5.
    # Right among both: Ann P551 Bern, Ann P551 Europe.
    assert relations().infer == Score(3, 5, 2)


def test_a_loop_of_two_facts_is_no_triangle():
    gold = document("d", ["a b"], (entity((0, 1)), entity((1, 2))), (Fact(0, "P26", 1), Fact(1, "P26", 0)))
    assert evaluate([gold], [perfect(gold)], SCHEMA).relations.infer == Score()


def test_evidence():
    # Gold sentences 1 + 1 + 2 + 1 = 5. Predicted 2 + 1 + 1 = 4, those of wrong facts included. Right: {0} and {1}.
    assert relations().evidence == Score(5, 4, 2)


def test_without_gold_evidence_there_is_no_evidence_score():
    gold = document("d", ["a b"], (entity((0, 1)), entity((1, 2))), (Fact(0, "P26", 1),))
    assert evaluate([gold], [perfect(gold)], SCHEMA).relations.evidence is None


def test_ign_changes_precision_and_leaves_recall():
    # Training says that "Ann" (one of several names there) lives in Bern; that Co was founded by Bob does not matter,
    # and neither does another relation between the same names.
    train = document(
        "train",
        ["Annie called Ann lives in  Bern .", "Co was founded by Bob ."],
        (entity((0, 1), (2, 3)), entity((5, 6), type="LOC"), entity((7, 8), type="ORG"), entity((11, 12))),
        (Fact(0, "P551", 1), Fact(2, "P112", 3), Fact(0, "P20", 1)),
    )
    facts = TrainFacts.collect([train])
    assert facts.triples == {
        ("Annie", "P551", "Bern"),
        ("Ann", "P551", "Bern"),
        ("Annie", "P20", "Bern"),
        ("Ann", "P20", "Bern"),
        ("Co", "P112", "Bob"),
    }
    scores = relations(train_facts=facts)
    # One of the three right facts was seen: precision (3 - 1) / (5 - 1) = 0.5; recall stays 3 / 4; F1 = 0.75 / 1.25.
    assert scores.ign == UnseenScore(Score(4, 5, 3), seen=1)
    assert scores.ign.precision == pytest.approx(0.5)
    assert scores.ign.recall == pytest.approx(0.75)
    assert scores.ign.f1 == pytest.approx(0.6)


def test_names_of_several_words_ignore_the_spacing_of_the_text():
    spaced = document("t", ["New   York is in America"], (entity((0, 2)), entity((4, 5))), (Fact(0, "P30", 1),))
    assert TrainFacts.collect([spaced]).triples == {("New York", "P30", "America")}


def test_without_training_facts_and_mesh_tree_these_scores_are_absent():
    scores = relations()
    assert scores.ign is None
    assert scores.without_hypernyms is None


def test_predicted_entities_are_matched_by_their_mentions():
    # Europe is missed and Bern lost a mention, so that only Co founder Ann can be right.
    predicted = extraction("ann", (CO, ANN, entity((3, 4))), (Fact(0, "P112", 1), Fact(1, "P551", 2)))
    scores = evaluate([GOLD], [predicted], SCHEMA).relations
    assert not scores.entities_given
    assert scores.overall == Score(4, 2, 1)
    assert scores.intra == Score(3, 2, 1)


def test_given_entities_with_equal_mentions_stay_apart():
    # One mention with two ids is two entities; the fact of the one is not the fact of the other.
    twins = (
        entity((0, 1), type="MISC"),
        entity((2, 3), type="MISC", kb_ids=("x:1",)),
        entity((2, 3), type="MISC", kb_ids=("x:2",)),
        entity((2, 3), type="MISC", kb_ids=("x:2",)),
    )
    gold = document("d", ["a and b"], twins, (Fact(0, "P361", 1), Fact(0, "P361", 2), Fact(0, "P361", 3)))
    found = extraction("d", twins, (Fact(0, "P361", 1), Fact(0, "P361", 3)))
    assert evaluate([gold], [found], SCHEMA).relations.overall == Score(3, 2, 2)
    # As soon as mentions are predicted, the three facts are one.
    blind = extraction("d", (entity((0, 1)), entity((2, 3))), (Fact(0, "P361", 1),))
    assert evaluate([gold], [blind], SCHEMA).relations.overall == Score(1, 1, 1)


def test_macro_of_nothing_is_zero():
    empty = document("d", ["a"], (entity((0, 1)),))
    assert evaluate([empty], [perfect(empty)], SCHEMA).relations.macro == Average(0.0, 0.0, 0.0, 0)


def test_macro_is_the_same_sum_in_every_order():
    # As floating-point numbers (0.1 + 0.2) + 0.3 and (0.3 + 0.2) + 0.1 differ.
    scores = {"a": Score(10, 10, 1), "b": Score(10, 10, 2), "c": Score(10, 10, 3)}
    assert Average.of(scores) == Average.of(dict(reversed(scores.items())))
