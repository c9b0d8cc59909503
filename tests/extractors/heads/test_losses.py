import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors.heads.losses import LOSSES

logits = st.lists(st.floats(-8, 8), min_size=4, max_size=4)
labels = st.lists(st.booleans(), min_size=3, max_size=3)


def value(name, row, positive):
    width = 3 + LOSSES[name].added
    return float(LOSSES[name].per_pair(torch.tensor([row[:width]]), torch.tensor([positive]).float())[0])


@given(logits, labels)
def test_adaptive_threshold_is_equation_13(row, positive):
    threshold = row[3]
    expected = 0.0
    above = [row[r] for r in range(3) if positive[r]] + [threshold]
    for r in range(3):
        if positive[r]:
            expected -= math.log(math.exp(row[r]) / sum(map(math.exp, above)))
    below = [row[r] for r in range(3) if not positive[r]] + [threshold]
    expected -= math.log(math.exp(threshold) / sum(map(math.exp, below)))
    assert math.isclose(value("adaptive-threshold", row, positive), expected, rel_tol=1e-3, abs_tol=1e-4)


@given(logits, labels)
def test_balanced_softmax_is_equation_11(row, positive):
    negatives = sum(math.exp(row[r]) for r in range(3) if not positive[r])
    positives = sum(math.exp(-row[r]) for r in range(3) if positive[r])
    expected = math.log(1 + negatives) + math.log(1 + positives)
    assert math.isclose(value("balanced-softmax", row, positive), expected, rel_tol=1e-3, abs_tol=1e-4)


@given(logits, labels)
def test_balanced_softmax_of_the_published_code_has_one_more_label(row, positive):
    labels = [*positive, not any(positive)]
    negatives = sum(math.exp(x) for x, y in zip(row, labels, strict=True) if not y)
    positives = sum(math.exp(-x) for x, y in zip(row, labels, strict=True) if y)
    expected = math.log(1 + negatives) + math.log(1 + positives)
    assert math.isclose(value("balanced-softmax-na", row, positive), expected, rel_tol=1e-3, abs_tol=1e-4)


@given(logits, labels)
def test_cross_entropy_is_equation_16(row, positive):
    chances = [1 / (1 + math.exp(-x)) for x in row[:3]]
    expected = -sum(math.log(p if y else 1 - p) for p, y in zip(chances, positive, strict=True))
    assert math.isclose(value("bce", row, positive), expected, rel_tol=1e-3, abs_tol=1e-4)


def test_scores_are_above_zero_where_the_loss_says_that_a_relation_holds():
    row = torch.tensor([[2.0, -1.0, 0.5, 1.0]])
    assert LOSSES["adaptive-threshold"].scores(row).tolist() == [[1.0, -2.0, -0.5]]
    assert LOSSES["bce"].scores(row).tolist() == row.tolist()
    assert LOSSES["balanced-softmax-na"].scores(row).tolist() == row[:, :3].tolist()
