"""How something that went wrong becomes a dead letter."""

from __future__ import annotations

from schemas import DeadLetter

_LONGEST_DETAIL = 500


class BuildError(ValueError):
    """A build cannot start as it was asked for; the message says what to change."""


class BuildFailed(RuntimeError):
    """A build that was asked for rightly did not come out right; the message says where it broke."""


def dead_letter(document_id: str, source: str, stage: str, reason: str, detail: str | BaseException = "") -> DeadLetter:
    """Return a dead letter whose texts can be stored: valid Unicode, the detail in one line of bounded length."""
    if isinstance(detail, BaseException):
        detail = f"{type(detail).__name__}: {detail}"
    detail = " ".join(detail.split())
    if len(detail) > _LONGEST_DETAIL:
        detail = detail[:_LONGEST_DETAIL] + " ..."
    return DeadLetter(valid(document_id), valid(source), stage, valid(reason), valid(detail))


def valid(text: str) -> str:
    """Return the text with whatever has no UTF-8 form, such as a lone surrogate, replaced by `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")
