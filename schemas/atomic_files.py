"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Stands in every folder that `replacing` put in place: only such a folder may be replaced.
MARK = ".factmill"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write a file or a folder to, and put it in the place of `target` when the block ends well.

    The draft lies in a hidden folder beside the target, so that the last step is one rename on one file system; a
    reader sees the old file or the new one. After an error the old one stands as it was and the draft is gone. A
    folder is replaced in two renames: between them, for a moment, nothing stands at the target. Drafts that a killed
    process left are removed.

    Raises:
        OSError: the folder cannot be written, the disk is full, or a file stands where a folder is to be
            written or the other way round, or at the target stands a folder with anything but an earlier result.
    """
    if target.is_dir() and not _is_ours(target):
        raise IsADirectoryError(
            f"'{target}' is a folder, and not one that an export made: remove it or choose another place"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_over(target)
    with tempfile.TemporaryDirectory(prefix=_prefix(target.name), dir=target.parent) as folder, _locked(folder):
        draft = Path(folder) / target.name
        yield draft
        if draft.is_dir():
            (draft / MARK).touch()
            files = sorted(path for path in draft.rglob("*") if path.is_file())
        else:
            files = [draft]
        if target.exists() and target.is_dir() != draft.is_dir():
            kinds = ("file", "folder") if draft.is_dir() else ("folder", "file")
            raise FileExistsError(
                f"'{target}' is a {kinds[0]} where a {kinds[1]} is to be written: remove it or choose another place"
            )
        for path in files:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if target.is_dir():
            target.replace(Path(folder) / "old")
        draft.replace(target)


def is_draft(name: str, target: str) -> bool:
    """Return whether a file name is that of a draft of a target, of a process that runs or was killed."""
    return name.startswith(_prefix(target))


def _is_ours(folder: Path) -> bool:
    return (folder / MARK).exists() or not any(folder.iterdir())


def _prefix(target: str) -> str:
    return f".{target}."


@contextmanager
def _locked(folder: str | Path) -> Iterator[None]:
    """Hold a lock on a folder, which goes with the process however that ends.

    Raises:
        BlockingIOError: another process holds it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove_left_over(target: Path) -> None:
    for name in os.listdir(target.parent):  # noqa: PTH208 - names alone, of perhaps thousands of files
        folder = target.parent / name
        if is_draft(name, target.name) and folder.is_dir():
            with suppress(OSError), _locked(folder):
                shutil.rmtree(folder)
