"""Confidence of merged edges held against the truth of a synthetic corpus."""

from benchmarks.confidence import corpus, error, plain_noisy_or, tallies


def confidences(counted, correlation=0.0):
    return {edge: tally.edge("", "", "", "", correlation).confidence for edge, tally in counted.items()}


def test_confidence_is_calibrated_where_a_third_of_the_documents_are_copies():
    made = corpus(edges=3000, copies=0.3, dependence=0.0)
    right, counted = made.right(), tallies(made)
    assert error(confidences(counted), right) <= 0.03
    assert error(plain_noisy_or(made), right) > 0.05
    copied = len(made.documents) - sum(tally.independent for tally in counted.values())
    assert 0.2 < copied / len(made.documents) < 0.35


def test_a_correlation_makes_up_for_documents_that_depend_on_each_other():
    made = corpus(edges=3000, copies=0.0, dependence=0.4, seed=1)
    right, counted = made.right(), tallies(made)
    assert error(confidences(counted, 0.4), right) <= 0.03 < error(confidences(counted), right)
