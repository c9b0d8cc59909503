"""Which files a build reads: files, folders and patterns, in an order that does not depend on how they were named."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from pipeline.dead_letters import BuildError


def input_files(inputs: Iterable[str | Path], out: Path) -> tuple[str, ...]:
    """Return the files that the inputs stand for, each once, sorted by name and then by folder.

    Folders stand for everything below them except hidden files and the output folder.

    Raises:
        BuildError: an input stands for no file, or a file has a name that is not valid Unicode.
    """
    found: dict[Path, Path] = {}
    for given in inputs:
        paths = list(_files(Path(given), out))
        if not paths:
            raise BuildError(f"no file at '{given}': give files, folders that hold some, or a pattern in quotes")
        for path in paths:
            found.setdefault(path.resolve(), path)
    if not found:
        raise BuildError("nothing to read: give files, folders or patterns")
    for path in found.values():
        try:
            str(path).encode("utf-8")
        except UnicodeEncodeError:
            raise BuildError(f"the name of the file {str(path)!a} is not valid Unicode: rename it") from None
    return tuple(str(path) for path in sorted(found.values(), key=lambda path: (path.name, str(path))))


def _files(given: Path, out: Path) -> Iterable[Path]:
    if given.is_file():
        return [given]
    if given.is_dir():
        return [
            path
            for path in given.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(given).parts)
            and not path.resolve().is_relative_to(out.resolve())
        ]
    matches = glob.glob(str(given), recursive=True)  # noqa: PTH207 - the pattern may be absolute
    return [path for match in matches for path in _files(Path(match), out)]
