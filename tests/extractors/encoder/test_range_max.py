import torch
from hypothesis import given
from hypothesis import strategies as st

from extractors.encoder.range_max import RangeMax


@given(st.data())
def test_equals_the_maximum_of_each_range(data):
    count = data.draw(st.integers(1, 40))
    rows = torch.randn(count, 3, generator=torch.Generator().manual_seed(data.draw(st.integers(0, 99))))
    ranges = data.draw(
        st.lists(st.tuples(st.integers(0, count), st.integers(0, count)).map(sorted), min_size=1, max_size=20)
    )
    longest = max(end - start for start, end in ranges)
    start, end = torch.tensor(ranges).unbind(1)
    pooled = RangeMax(rows, max(1, longest)).pool(start, end)
    for row, (low, high) in zip(pooled, ranges, strict=True):
        expected = rows[low:high].amax(0) if high > low else torch.zeros(3)
        assert torch.equal(row, expected)


def test_no_rows_and_no_ranges():
    nothing = torch.zeros(0, dtype=torch.long)
    assert RangeMax(torch.zeros(0, 4), 1).pool(nothing, nothing).shape == (0, 4)
    assert torch.equal(RangeMax(torch.zeros(0, 4), 1).pool(torch.tensor([0]), torch.tensor([0])), torch.zeros(1, 4))


def test_gradient_reaches_the_largest_row_only():
    rows = torch.tensor([[1.0], [5.0], [2.0]], requires_grad=True)
    RangeMax(rows, 3).pool(torch.tensor([0]), torch.tensor([3])).sum().backward()
    assert rows.grad is not None
    assert rows.grad.tolist() == [[0.0], [1.0], [0.0]]
