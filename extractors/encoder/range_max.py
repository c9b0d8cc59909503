"""Max-pooling over any number of ranges of one sequence at once.

JEREX max-pools spans (eq. 1), clusters (eq. 5), the text between two mentions (eq. 10) and mention pairs (eq. 12).
All of them are ranges of some sequence, so one sparse table serves them all: level k holds the maximum of every
window of 2^k rows, and a range is the maximum of the two windows that cover it. Building costs n log(longest) rows
and each range two look-ups, whatever its length; a concatenation of all mention pairs is never made.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class RangeMax:
    """A sparse table over the rows of a matrix.

    Args:
        rows: shape (n, d); n may be 0.
        longest: the longest range of any query.
    """

    def __init__(self, rows: Tensor, longest: int) -> None:
        self.count, width = rows.shape
        levels = [rows]
        span = 1
        while 2 * span <= min(longest, self.count):
            below = levels[-1]
            # Rows whose window would leave the sequence keep the shorter window; no range ever asks for them.
            levels.append(torch.cat([torch.maximum(below[:-span], below[span:]), below[self.count - span :]]))
            span *= 2
        # The last row of the table is the maximum of empty ranges.
        self.table = torch.cat([*levels, rows.new_zeros(1, width)])
        self.levels = len(levels)

    def pool(self, start: Tensor, end: Tensor) -> Tensor:
        """Return the maximum over rows [start, end) for each range, zeros for empty ranges.

        Args:
            start, end: shape (m,), long.

        Returns:
            Shape (m, d).
        """
        length = end - start
        level = torch.log2(length.clamp(min=1).double()).long().clamp(max=self.levels - 1)
        covering = torch.stack([level * self.count + start, level * self.count + end - 2**level])
        covering = torch.where(length > 0, covering, len(self.table) - 1)
        # `embedding` is a row look-up whose backward pass is parallel on the CPU, unlike that of `index_select`.
        first, second = functional.embedding(covering, self.table)
        return torch.maximum(first, second)
