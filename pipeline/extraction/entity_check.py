"""Before any work: does an extractor that only relates given entities get documents that have some?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from pipeline.dead_letters import BuildError
from pipeline.readers import read_path
from pipeline.reading import Reading
from schemas import Document

# Records of each file that are looked at.
_LOOKED_AT = 20


def check_given_entities(paths: Iterable[str | Path], reading: Reading, model: str) -> None:
    """Check that some document of the first ones of every file has entities.

    Where only some have none, the build goes on, and those become dead letters.

    Raises:
        BuildError: none of them has any.
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
        return False  # the build itself tells what is wrong with the file
    return any(isinstance(record, Document) and record.entities is not None for record in records)
