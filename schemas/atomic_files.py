"""Files and folders that are written completely or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# The file that `replacing` leaves in every folder that it puts in place: only such a folder is replaced.
MARK = ".factmill"
# The extended attribute of every file that `replacing` puts in place: its size and time of change then.
_ATTRIBUTE = "user.factmill"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write a file or a folder to, and put it in the place of `target` when the block ends well.

    The draft is in a hidden folder next to the target, so that the last step is one rename on one file system; a reader
    sees the old file or the new one. After an error the old one is as it was and the draft is gone. A folder takes
    two renames: between them, for a moment, there is nothing at the target. Drafts that a killed process left are
    removed. A symbolic link stays, and what it points to is replaced.

    Raises:
        OSError: the folder cannot be written, the disk is full, the target is a device or a pipe, there is a file where
            a folder is to be written or the other way round, or a folder with anything but an earlier result.
    """
    target = _followed(target)
    if target.is_dir() and not _is_our_folder(target):
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
        else:
            _mark(draft)
        draft.replace(target)


def check_replaceable(target: Path, force: bool = False) -> None:
    """Check that no file of a user is overwritten by mistake.

    A file is factmill's own when `replacing` put it there and nothing has changed it since. Empty files may be replaced
    too. On file systems without extended attributes every file counts as a user's.

    Args:
        target: the file or folder that is to be written.
        force: allow a file of another program. A folder is never replaced unless it is factmill's own.

    Raises:
        OSError: it must not be replaced; the message names the remedy.
    """
    target = _followed(target)
    if target.is_dir():
        if not _is_our_folder(target):
            raise IsADirectoryError(
                f"'{target}' is a folder, and not one that an export made: remove it or choose another place"
            )
    elif target.exists() and not force and target.stat().st_size and not _is_our_file(target):
        raise FileExistsError(
            f"'{target}' is a file that factmill did not write, or that was changed since: choose another place, or "
            f"replace it with --force"
        )


def is_draft(name: str, target: str) -> bool:
    """Return whether a file name is that of a draft of a target, whether its process runs or was killed."""
    return name.startswith(_prefix(target))


def _followed(target: Path) -> Path:
    """Return the path itself, or what a symbolic link points to.

    Raises:
        OSError: the links form a loop, or the target is neither a file nor a folder.
    """
    target = target.resolve() if target.is_symlink() else target
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise FileExistsError(f"'{target}' is a device or a pipe, no file: choose another place")
    return target


def _is_our_folder(folder: Path) -> bool:
    return (folder / MARK).exists() or not any(folder.iterdir())


def _mark(file: Path) -> None:
    """Mark a file as factmill's own, if the file system supports it."""
    with suppress(OSError, AttributeError):
        os.setxattr(file, _ATTRIBUTE, _state(file))


def _is_our_file(file: Path) -> bool:
    try:
        return os.getxattr(file, _ATTRIBUTE) == _state(file)
    except (OSError, AttributeError):
        return False


def _state(file: Path) -> bytes:
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}".encode()


def _prefix(target: str) -> str:
    return f".{target}."


@contextmanager
def _locked(folder: str | Path) -> Iterator[None]:
    """Hold a lock on a folder, which ends with the process.

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
