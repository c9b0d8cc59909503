"""Dead letters, and the errors of builds."""

from __future__ import annotations

from schemas import DeadLetter

_LONGEST_DETAIL = 500


class BuildError(ValueError):
    """A build cannot start with the given inputs, options or folder; the message has the remedy."""


class BuildFailed(RuntimeError):
    """A build with valid inputs and options failed; the message says where."""


def dead_letter(document_id: str, source: str, stage: str, reason: str, detail: str | BaseException = "") -> DeadLetter:
    """Return a dead letter whose texts can be stored: valid Unicode, the detail in one line of bounded length."""
    if isinstance(detail, BaseException):
        detail = f"{type(detail).__name__}: {detail}"
    detail = " ".join(detail.split())
    if len(detail) > _LONGEST_DETAIL:
        detail = detail[:_LONGEST_DETAIL] + " ..."
    return DeadLetter(valid(document_id), valid(source), stage, valid(reason), valid(detail))


def valid(text: str) -> str:
    """Return the text with code points that UTF-8 cannot encode, such as lone surrogates, replaced by `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")
