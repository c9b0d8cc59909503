import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import content_hash
from sinks.neo4j.schedule import cell_of, group_of, rounds


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 7, 8, 16])
def test_every_cell_is_played_once_and_no_group_twice_in_a_round(groups):
    played = rounds(groups)
    cells = [cell for cells in played for cell in cells]
    assert sorted(cells) == [(a, b) for a in range(groups) for b in range(a, groups)]
    for cells in played:
        busy = [group for cell in cells for group in set(cell)]
        assert len(busy) == len(set(busy))
    assert len(played) <= groups + groups % 2


def test_no_groups_is_an_error():
    with pytest.raises(ValueError, match="at least one group of nodes, not 0"):
        rounds(0)


@given(st.lists(st.text(), min_size=2, max_size=2), st.integers(1, 64))
def test_edges_lie_in_a_cell_of_their_ends(names, groups):
    head, tail = map(content_hash, names)
    assert cell_of(head, tail, groups) == cell_of(tail, head, groups)
    assert set(cell_of(head, tail, groups)) == {group_of(head, groups), group_of(tail, groups)}
    assert cell_of(head, tail, groups) in [cell for cells in rounds(groups) for cell in cells]
