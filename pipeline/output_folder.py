"""The folder of a build: one build at a time, and the earlier result stays whole until the new one is complete."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.failures import BuildError
from sinks import WRITERS
from sinks.rdf_store import STORE

# What a build leaves, and what is made of it in its folder later: that is gone with the next build.
RESULTS = ("tables", *(writer.file for writer in WRITERS.values()), STORE, "run.json")
_LOCK = ".factmill.lock"
_STAGING = ".factmill.building"


@contextmanager
def output_folder(out: Path) -> Iterator[Path]:
    """Make a folder the output of a build, and give an empty folder inside it where the build puts its result.

    When the block ends well, the result takes the place of an earlier one; otherwise that stays as it is. The lock is
    the operating system's: it is gone with the process that holds it, however that ended.

    Raises:
        BuildError: another build writes to the folder, or it holds something that is not from a build.
    """
    _check_content(out)
    out.mkdir(parents=True, exist_ok=True)
    lock = out / _LOCK
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError(f"another build is writing to '{out}': wait for it, or choose another --out") from None
        staging = out / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            yield staging
            _publish(staging, out)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        # While this file is there the folder is known as ours, even if it was left between two results.
        lock.unlink()


def _check_content(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise BuildError(f"'{out}' is not a folder: choose another --out")
    names = {path.name for path in out.iterdir()}
    unknown = sorted(names - {*RESULTS, _LOCK, _STAGING})
    if unknown:
        shown = ", ".join(unknown[:3]) + (" ..." if len(unknown) > 3 else "")
        raise BuildError(f"'{out}' holds files that are not from a build ({shown}): choose an empty or new --out")
    if names and not names & {"run.json", _LOCK}:
        raise BuildError(f"'{out}' holds no 'run.json', so it is not from a build: choose an empty or new --out")


def _publish(staging: Path, out: Path) -> None:
    """Move the results into place, `run.json` last: it says that the rest is there."""
    (out / "run.json").unlink(missing_ok=True)
    for name in RESULTS:
        old = out / name
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
        if (staging / name).exists():
            (staging / name).replace(old)
