"""Which files a build reads: files, folders and patterns, in an order that does not depend on how they were named."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.dead_letters import BuildError

_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_SAVE = "only files and folders are read, because a build reads them in parts and more than once: save it to a file"


def input_files(inputs: Iterable[str | Path], out: Path) -> tuple[str, ...]:
    """Return the files that the inputs stand for, each once, sorted by name and then by folder.

    Folders stand for everything below them except hidden files and the output folder; links to files are followed. A
    folder that cannot be listed, and a file whose name is not valid Unicode, are among the results, so that reading
    makes dead letters of them; such a name has `\\xNN` in place of the bytes.

    Raises:
        BuildError: an input matches no file.
    """
    found: dict[str, Path] = {}
    for given in inputs:
        paths = list(_named(Path(given), out))
        if not paths:
            raise BuildError(_nothing_at(Path(given), out))
        for path in paths:
            found.setdefault(os.path.realpath(path), path)
    if not found:
        raise BuildError("nothing to read: give files, folders or patterns")
    ordered = sorted(found.values(), key=lambda path: (os.fsencode(path.name), os.fsencode(path)))
    return tuple(os.fsencode(path).decode("utf-8", "backslashreplace") for path in ordered)


def _named(given: Path, out: Path) -> Iterator[Path]:
    """Yield the files that an input names: itself, those in it, or those that match it."""
    if given.is_dir():
        yield from _below(given, out)
    elif _exists(given):
        _check_regular(given)
        yield given
    else:
        for match in map(Path, glob.iglob(str(given), recursive=True)):  # noqa: PTH207 - the pattern may be absolute
            if match.is_dir():
                yield from _below(match, out)
            elif match.is_file():
                yield match


def _below(folder: Path, out: Path) -> Iterator[Path]:
    """Yield what is in a folder and in those below it; a folder that cannot be listed is yielded itself."""
    result = out.resolve()
    if folder.resolve().is_relative_to(result):
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if not path.is_symlink():  # a link to a folder could lead around in a circle
                yield from _below(path, out)
        elif path.is_file():
            yield path


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True


def _check_regular(path: Path) -> None:
    """Check that a path leads to a file.

    Raises:
        BuildError: it is a pipe, a device or a link that leads nowhere.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        target = path.readlink() if path.is_symlink() else "nothing"
        raise BuildError(
            f"'{path}' is a link to '{target}', which is not there: mend the link or leave it out"
        ) from None
    if not stat.S_ISREG(mode):
        kind = next((kind for test, kind in _SPECIAL if test(mode)), "no regular file")
        raise BuildError(f"'{path}' is {kind}: {_SAVE}")


def _nothing_at(given: Path, out: Path) -> str:
    if str(given) == "-":
        return f"'-', standard input, cannot be read: {_SAVE}"
    if given.resolve().is_relative_to(out.resolve()) and given.exists():
        return f"'{given}' is in the folder of the result, '{out}': give the sources, or another folder for the result"
    return f"no file at '{given}': give files, folders that hold some, or a pattern in quotes"
