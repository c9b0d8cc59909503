"""Dead letters of the readers: one wording for what broke and where."""

from __future__ import annotations

from schemas import DeadLetter
from schemas.text.clean import clean

UNREADABLE = "unreadable bytes"
MALFORMED = "record breaks the format"
NOT_JSON = "not JSON"
MISPLACED = "annotation does not fit the text"
TOO_LONG = "text too long"
REFUSED = "XML entity declarations refused"


class WrongRecord(ValueError):
    """A record breaks a rule of its format: the message names the value, `reason` is a phrase to count by."""

    def __init__(self, message: str, reason: str = MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason


def letter(source: str, place: str, reason: str, detail: str, document_id: str | None = None) -> DeadLetter:
    """Return the dead letter of a record at `place` of a file; the place names it when it has no id."""
    return DeadLetter(document_id or f"{source}, {place}", source, "read", reason, clean(f"{place}: {detail}"))


def rejected(source: str, place: str, error: WrongRecord, document_id: str | None = None) -> DeadLetter:
    """Return the dead letter of a record that breaks a rule."""
    return letter(source, place, error.reason, str(error), document_id)
