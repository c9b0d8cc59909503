"""Errors of commands: exit status 2 when the user must change something, 1 when a correct command did not succeed."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

import click

_PACKAGES = ("schemas", "extractors", "sinks", "pipeline", "runners")
# Conditions of the machine: the command itself was correct.
_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS}

_WRONG_PATH = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, FileExistsError)


class UserError(click.ClickException):
    """The command cannot do what was asked until the user changes something: exit status 2."""

    exit_code = 2


class Failure(click.ClickException):
    """The command was correct and did not succeed: exit status 1."""

    exit_code = 1


def explain(error: Exception) -> click.ClickException:
    """Return the error that the user reads for an exception that reached a command.

    Our own packages raise ValueError or LookupError, or subclasses of them, for input that cannot be used, and their
    own subclasses of RuntimeError and OSError for what did not succeed; their messages are written for users.
    """
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error).strip()
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _FAILURES):
        return Failure(_exhausted(error))
    if _from_us(type(error).__module__):
        return (UserError if isinstance(error, ValueError | LookupError) else Failure)(message)
    if isinstance(error, ValueError) and _raised_by_us(error):
        return UserError(message)
    if isinstance(error, _WRONG_PATH):
        return UserError(f"{error.strerror or message}: '{error.filename}'" if error.filename else message)
    if isinstance(error, RecursionError):
        return UserError("an input is nested too deeply to be read: check the files that were given")
    what = f"factmill failed unexpectedly: {message}" if message else "factmill failed unexpectedly"
    return Failure(f"{what}. Run the same command with --debug for the stack trace, and report it.")


def _exhausted(error: MemoryError | OSError) -> str:
    if isinstance(error, MemoryError):
        return "the memory of the machine is used up: close other programs or use fewer --workers, then run it again"
    what = error.strerror or str(error)
    where = f": '{error.filename}'" if error.filename else ""
    remedies = {
        errno.EROFS: "choose a folder that can be written to",
        errno.EMFILE: "raise the limit of open files (ulimit -n)",
        errno.ENFILE: "raise the limit of open files (ulimit -n)",
        errno.EIO: "check the disk",
    }
    remedy = remedies.get(error.errno or 0, "free some space")
    return f"{what}{where}. To continue, {remedy} and run the same command again."


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
