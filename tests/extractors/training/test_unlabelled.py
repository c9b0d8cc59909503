import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extractors.training.unlabelled import PRIOR_FACTS, fact_ratios, positive_unlabelled
from schemas import Fact
from tests.extractors.tiny import annotated

rows = st.lists(st.tuples(st.floats(-6, 6), st.booleans()), min_size=1, max_size=6)


@given(rows, st.floats(1, 5))
def test_the_loss_is_its_definition(pairs, ratio):
    positive = sum(math.log1p(math.exp(-s)) for s, y in pairs if y)
    of_labelled = sum(math.log1p(math.exp(s)) for s, y in pairs if y)
    of_others = sum(math.log1p(math.exp(s)) for s, y in pairs if not y)
    expected = ratio * positive + max(0.0, of_others - (ratio - 1) * of_labelled)
    scores, targets = torch.tensor(pairs).unbind(1)
    found = positive_unlabelled(scores[:, None], targets[:, None], torch.tensor([ratio])).sum()
    assert math.isclose(float(found), expected, rel_tol=1e-4, abs_tol=1e-4)


def test_with_nothing_missing_it_is_cross_entropy():
    torch.manual_seed(0)
    scores, targets = torch.randn(7, 3), (torch.rand(7, 3) < 0.4).float()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(scores, targets, reduction="none").sum(1)
    torch.testing.assert_close(positive_unlabelled(scores, targets, torch.ones(3)), expected)


def test_it_is_the_loss_of_full_labels_on_average():
    # 4000 pairs of which half are related and half of those labelled: a threshold learned from it is the right one.
    torch.manual_seed(0)
    related = torch.arange(4000) % 2 == 0
    labelled = (related & (torch.arange(4000) % 4 == 0)).float()[:, None]
    for score in (-1.0, 0.0, 1.0):
        scores = torch.where(related, 0.5 + score, score)[:, None]
        full = positive_unlabelled(scores, related.float()[:, None], torch.ones(1)).mean()
        partly = positive_unlabelled(scores, labelled, torch.tensor([2.0])).mean()
        torch.testing.assert_close(partly, full)


def test_ratios_compare_shares_and_lean_on_their_mean():
    index = {"R1": 0, "R2": 1, "R3": 2}
    full = [replace(annotated(f"c{i}"), facts=(Fact(0, "R1", 1), Fact(0, "R3", 2), Fact(2, "R3", 0))) for i in range(9)]
    part = [replace(annotated(f"i{i}"), facts=(Fact(0, "R1", 1), Fact(0, "R3", 2))) for i in range(5)]
    overall = 15 / 10
    expected = [(5 + 10 * overall) / (5 + 10), overall, (10 + 10 * overall) / (5 + 10)]
    assert PRIOR_FACTS == 10
    torch.testing.assert_close(fact_ratios(full, part, index), torch.tensor(expected).clamp(min=1.0))
    with pytest.raises(ValueError, match="all facts"):
        fact_ratios([], part, index)
