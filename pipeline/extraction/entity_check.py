"""Check before any work that an extractor which needs given entities gets documents that have entities."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from pipeline.dead_letters import BuildError
from pipeline.readers import read_path
from pipeline.reading import Reading
from schemas import Document

# Records of each file that are checked.
_LOOKED_AT = 20


def check_given_entities(paths: Iterable[str | Path], reading: Reading, model: str) -> None:
    """Check that one of the first documents of the files has entities.

    If only some documents have none, the build continues, and those become dead letters.

    Raises:
        BuildError: none of them has entities.
    """
    if not any(_has_entities(Path(path), reading) for path in paths):
        raise BuildError(
            f"'{model}' relates given entities and finds none itself, and these documents have none: "
            "give documents with entities (PubTator, DocRED, GDA), or use a joint checkpoint"
        )


def _has_entities(path: Path, reading: Reading) -> bool:
    try:
        records = list(islice(read_path(path, reading.format, reading.columns), _LOOKED_AT))
    except (OSError, ValueError):
        return False  # the build reports what is wrong with the file
    return any(isinstance(record, Document) and record.entities is not None for record in records)
