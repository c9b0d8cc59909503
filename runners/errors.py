"""A mistake of the user ends with exit code 2, a failure with 1; both are told in one message with the remedy."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

import click

_PACKAGES = ("schemas", "extractors", "sinks", "pipeline", "runners")
# What the machine ran out of or refused while the command itself was right.
_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS}

_MISTAKEN_PATH = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, FileExistsError)


class UserError(click.ClickException):
    """The command cannot do what was asked until the user changes something."""

    exit_code = 2


class Failure(click.ClickException):
    """The command was right and did not work out."""

    exit_code = 1


def explain(error: Exception) -> click.ClickException:
    """Return what to tell the user about an exception that reached a command.

    Our own packages raise ValueError or LookupError, or subclasses of their own, for input that cannot work, and their
    own subclasses of RuntimeError and OSError for what did not work out; those messages are meant for people. Of
    everything else the class is named too, for a report.
    """
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error).strip()
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _FAILURES):
        remedy = "Let it be written to" if getattr(error, "errno", None) == errno.EROFS else "Free some room"
        return Failure(f"{message or 'the memory is used up'}. {remedy}, then run the same command again.")
    if _from_us(type(error).__module__):
        return (UserError if isinstance(error, ValueError | LookupError) else Failure)(message)
    if isinstance(error, ValueError) and _raised_by_us(error):
        return UserError(message)
    if isinstance(error, _MISTAKEN_PATH):
        return UserError(f"{error.strerror or message}: '{error.filename}'" if error.filename else message)
    kind = type(error).__name__
    return Failure(f"{message or 'no message'} ({kind}). Run it again with --debug to see where it comes from.")


def _from_us(module: str) -> bool:
    return module.split(".")[0] in _PACKAGES


def _raised_by_us(error: Exception) -> bool:
    """Return whether the innermost frame of the traceback belongs to one of our packages."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return _from_us(str(trace.tb_frame.f_globals.get("__name__", "")))


def did_you_mean(word: str, known: Iterable[str], prefix: str = "", cutoff: float = 0.6) -> str:
    """Return `; did you mean 'x'?` for the known word closest to `word`, or an empty text when none is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f"; did you mean '{prefix}{close[0]}'?" if close else ""
