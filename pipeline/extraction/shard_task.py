"""The work on one shard of the store, as it passes from reading its documents to writing its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.store.store import Row
from schemas import Document


@dataclass
class ShardTask:
    """A shard on its way from what is given to its file.

    Attributes:
        number, of: which shard of how many.
        rows: what it will hold, as far as that is known.
        documents: what is still to be prepared.
        prepared: what is still to be extracted.
    """

    number: int
    of: int
    rows: list[Row]
    documents: list[Document]
    prepared: list[Any] = field(default_factory=list)
