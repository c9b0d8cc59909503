from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from extractors.inference.batching import groups_within


@given(st.lists(st.integers(0, 9)), st.integers(0, 20))
def test_groups_keep_the_order_and_the_budget_and_are_as_large_as_can_be(items, budget):
    groups = list(groups_within(items, lambda item: item, budget))
    assert [item for group in groups for item in group] == items
    for group in groups:
        assert len(group) == 1 or sum(group) <= budget
    for group, following in pairwise(groups):
        assert sum(group) + following[0] > budget
