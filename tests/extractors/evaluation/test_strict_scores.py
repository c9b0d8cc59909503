"""The strict levels, counted by hand."""

from extractors.evaluation import Average, Score, evaluate
from schemas.document import Fact
from schemas.relation_schema import load_relation_schema

from .sample import document, entity, extraction

SCHEMA = load_relation_schema("docred")

# 0    1       2   3    4  5    6      7 | 8   9       10 11
# Ada  Byron   was born in London town . | Ada married in London
GOLD = document(
    "ada",
    ["Ada Byron was born in London town .", "Ada married in London"],
    (entity((0, 2), (8, 9)), entity((5, 6), (11, 12), type="LOC"), entity((9, 10), type="MISC")),
    (Fact(0, "P19", 1, 1.0, (0,)), Fact(0, "P551", 1), Fact(2, "P276", 1)),
)


def test_every_level_counts_exact_matches_only():
    # Mentions. Gold: 0-2, 8-9, 5-6, 11-12, 9-10 (5). Predicted: 0-2, 8-9, 5-7, 11-12, 9-10 (5). Equal: all but 5-7 (4).
    # Clusters. Ada exact; London has 5-7 instead of 5-6: wrong; marriage exact: 2 of 3 on both sides.
    # Entities. Ada right; marriage has type TIME instead of MISC: 1 of 3.
    # rel. Predicted: Ada P551 marriage (wrong), marriage P276 Ada (wrong), Ada P19 London (wrong cluster): 0 of 3.
    predicted = extraction(
        "ada",
        (entity((0, 2), (8, 9)), entity((5, 7), (11, 12), type="LOC"), entity((9, 10), type="TIME")),
        (Fact(0, "P551", 2), Fact(2, "P276", 0), Fact(0, "P19", 1)),
    )
    strict = evaluate([GOLD], [predicted], SCHEMA).strict
    assert strict == {
        "mention": Score(5, 5, 4),
        "coreference": Score(3, 3, 2),
        "entity": Score(3, 3, 1),
        "rel": Score(3, 3, 0),
        "rel_nec": Score(3, 3, 0),
    }


def test_a_wrong_type_spoils_rel_nec_but_not_rel():
    # Facts: both are right by mentions; the one with the marriage has a wrong type on its head.
    predicted = extraction(
        "ada",
        (entity((9, 10), type="TIME"), entity((8, 9), (0, 2)), entity((11, 12), (5, 6), type="LOC")),
        (Fact(1, "P19", 2, 0.7), Fact(0, "P276", 2, 0.6)),
    )
    report = evaluate([GOLD], [predicted], SCHEMA)
    assert report.strict["rel"] == Score(3, 2, 2)
    assert report.strict["rel_nec"] == Score(3, 2, 1)
    # Precision 1/2, recall 1/3, F1 = 2 * 1/6 / (5/6) = 0.4.
    assert abs(report.strict["rel_nec"].f1 - 0.4) < 1e-12


def test_entity_types_and_their_mean():
    predicted = extraction("ada", (entity((0, 2), (8, 9)), entity((9, 10), type="TIME")))
    report = evaluate([GOLD], [predicted], SCHEMA)
    assert report.entity_types == {
        "LOC": Score(1, 0, 0),
        "MISC": Score(1, 0, 0),
        "PER": Score(1, 1, 1),
        "TIME": Score(0, 1, 0),
    }
    # One of four types is perfect, the others are 0.
    assert report.entity_macro == Average(0.25, 0.25, 0.25, 4)


def test_what_is_listed_twice_counts_once():
    twice = extraction(
        "ada",
        (entity((0, 2), (8, 9), (0, 2)), entity((0, 2), (8, 9)), entity((5, 6), (11, 12), type="LOC")),
        (Fact(0, "P19", 2), Fact(1, "P19", 2), Fact(0, "P19", 2, 0.4)),
    )
    strict = evaluate([GOLD], [twice], SCHEMA).strict
    assert strict["mention"] == Score(5, 4, 4)
    assert strict["coreference"] == Score(3, 2, 2)
    assert strict["rel_nec"] == Score(3, 1, 1)


def test_counts_add_up_over_documents_and_missing_predictions_count_as_empty():
    other = document("bob", ["Bob"], (entity((0, 1)),))
    report = evaluate([GOLD, other], [extraction("bob", (entity((0, 1)),))], SCHEMA)
    assert (report.documents, report.missing) == (2, 1)
    assert report.strict["entity"] == Score(4, 1, 1)
    assert report.strict["rel"] == Score(3, 0, 0)
