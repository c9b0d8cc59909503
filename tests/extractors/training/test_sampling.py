import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extractors.training.sampling import sample_per_group, sample_spans


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60), st.integers(0, 10), st.integers(0, 99))
def test_chooses_as_many_allowed_items_of_each_group_as_there_are(items, count, seed):
    group = np.array(sorted(g for g, _ in items), np.int64)
    allowed = np.array([a for _, a in items], bool)
    chosen = sample_per_group(group, count, np.random.default_rng(seed), allowed)
    assert not (chosen & ~allowed).any()
    for number in set(group.tolist()):
        assert chosen[group == number].sum() == min(count, allowed[group == number].sum())


def test_none_takes_all():
    allowed = np.array([True, False, True])
    assert (sample_per_group(np.zeros(3, np.int64), None, np.random.default_rng(0), allowed) == allowed).all()


def test_at_most_half_of_the_negative_spans_lie_inside_mentions():
    group = np.zeros(100, np.int64)
    inside = np.arange(100) < 60
    chosen = sample_spans(group, inside, np.ones(100, bool), 20, np.random.default_rng(0))
    assert chosen[inside].sum() == 10
    assert chosen[~inside].sum() == 10


def test_every_item_is_drawn_at_some_time():
    drawn = np.zeros(10, bool)
    generator = np.random.default_rng(0)
    for _ in range(100):
        drawn |= sample_per_group(np.zeros(10, np.int64), 2, generator, np.ones(10, bool))
    assert drawn.all()
