"""Dead letters of the readers: one wording for what broke and where."""

from __future__ import annotations

from pipeline.readers.compression import Damage
from schemas import DeadLetter

UNREADABLE = "unreadable bytes"
MALFORMED = "record breaks the format"
MISPLACED = "annotation does not fit the text"


class WrongRecord(ValueError):
    """A record breaks a rule of its format; the message names the value and becomes the detail of a dead letter."""


def letter(source: str, place: str, reason: str, detail: str, document_id: str | None = None) -> DeadLetter:
    """Return the dead letter of a record at `place` of a file; the place names it when it has no id."""
    return DeadLetter(
        document_id=document_id or f"{source}, {place}",
        source=source,
        stage="read",
        reason=reason,
        detail=f"{place}: {detail}" if document_id else detail,
    )


def damaged(source: str, place: str, damage: Damage) -> DeadLetter:
    """Return the dead letter for bytes that could not be decompressed."""
    return letter(source, place, UNREADABLE, damage.message)
