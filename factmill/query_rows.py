"""Rows that answer a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from factmill.wording import counted

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20


@dataclass(frozen=True)
class QueryRows:
    """The answer to a query: rows of plain values, which are iterated as tuples.

    Attributes:
        columns: names of the columns.
        rows: one value per column in every row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.rows[index]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return every row as a dictionary by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a data frame."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns))

    def __repr__(self) -> str:
        return f"QueryRows({', '.join(self.columns)}: {counted(len(self.rows), 'row')})"

    def __str__(self) -> str:
        lines = [repr(self), *("  " + " | ".join(map(str, row)) for row in self.rows[:_SHOWN])]
        return "\n".join(lines + ([f"  ... {len(self.rows) - _SHOWN:,} more"] if len(self.rows) > _SHOWN else []))

    def _repr_html_(self) -> str:
        from factmill.html import table_html

        return table_html(self.columns, self.rows)
