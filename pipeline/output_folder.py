"""The folder of a graph: one command at a time writes to it, and a graph stays intact until the new one is complete."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

from pipeline.dead_letters import BuildError
from pipeline.plan import Plan, check_same_plan, read_plan
from pipeline.store.store import FOLDER
from schemas.atomic_files import is_draft, replacing
from sinks import WRITERS
from sinks.rdf.store import STORE

# The results of a build, and files that are made from them later; the next build removes them. Writers of other
# distributions leave more, which `run.json` names.
RESULTS = (FOLDER, "tables", *(writer.file for writer in WRITERS.values()), STORE, "run.json")
# Where a command writes its result until it is complete.
STAGING = ".factmill.building"
_LOCK = ".factmill.lock"
# In the staging folder while a complete result is moved into place; lists its parts.
_COMPLETE = "complete.json"
_OLD = "old"
# Suffixes of the files in the folders of a result.
_CONTENT = {"tables": {".parquet"}, FOLDER: {".parquet", ".json"}}


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Lock an output folder, which is created if necessary.

    The lock is one of the operating system, which releases it when the process ends in any way. A result that was
    complete when its command was interrupted is moved into place first.

    Raises:
        BuildError: another command holds it.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / _LOCK
    while True:
        handle = path.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip()
            handle.close()
            who = f" (process {holder})" if holder else ""
            raise BuildError(
                f"another build is writing to '{out}'{who}: wait for it, or choose another folder"
            ) from None
        if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
            break
        handle.close()  # its previous holder has removed the file
    with handle:
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            if (out / STAGING / _COMPLETE).exists():
                _publish(out)
            elif not (out / STAGING / FOLDER).exists():
                shutil.rmtree(out / STAGING, ignore_errors=True)  # the remains of a result that is in place
            yield
        finally:
            # This file marks the folder as ours, even if it has nothing but an interrupted command.
            if not (out / STAGING).exists():
                path.unlink()


@contextmanager
def staging(out: Path, plan: Plan | None = None, resume: bool = False) -> Iterator[Path]:
    """Yield a folder inside a locked output folder where a command writes its result.

    When the block ends without an error, the result replaces an earlier one, which stays otherwise. The extractions of
    a plan are kept then, and with `resume` the folder still has them.

    Raises:
        BuildError: the interrupted plan is another one.
    """
    folder = out / STAGING
    shards = folder / FOLDER
    begun = read_plan(shards)
    if resume and plan is not None and begun is not None:
        check_same_plan(begun, plan, out)
        for path in (*folder.iterdir(), *shards.glob(".*")):
            if path != shards:
                _remove(path)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        shards.mkdir(parents=True)
        if plan is not None:
            plan.write(shards)
    try:
        yield folder
        with replacing(folder / _COMPLETE) as draft:
            draft.write_text(json.dumps([name for name in results(folder) if (folder / name).exists()]), "utf-8")
    except BaseException:
        if not any(shards.glob("shard-*")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    _publish(out)


def has_result(out: Path, plan: Plan) -> bool:
    """Return whether the result of a plan is in place, and no other command has started since."""
    return not (out / STAGING).exists() and read_plan(out / FOLDER) == plan


def results(*folders: Path) -> tuple[str, ...]:
    """Return the names of what a build may leave, with those that the reports in some folders name; `run.json` last."""
    written: set[str] = set()
    for folder in folders:
        with suppress(OSError, ValueError, AttributeError):  # no report, or a damaged one
            written |= json.loads((folder / "run.json").read_text("utf-8")).get("written", {}).keys()
    more = sorted(name for name in written - {*RESULTS} if PurePath(name).name == name and name not in (".", ".."))
    return (*RESULTS[:-1], *more, RESULTS[-1])


def check_output_folder(out: Path, force: bool = False) -> None:
    """Check that an output folder is new, empty, or holds nothing but what factmill wrote.

    Args:
        out: the folder.
        force: whether a build may replace files of other origin; files that a build does not write stay in any case.

    Raises:
        BuildError: it holds something else; the message names it.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise BuildError(f"'{out}' is not a folder: choose another --out")
    foreign = [] if force else _foreign(out)
    if foreign:
        shown = ", ".join(foreign[:3]) + (" ..." if len(foreign) > 3 else "")
        raise BuildError(
            f"'{out}' holds files that are not from a build ({shown}): choose an empty or new --out, or replace them "
            f"with --force"
        )


def _foreign(out: Path) -> list[str]:
    """Return what an output folder holds that factmill did not write, by its path in the folder."""
    names = {path.name for path in out.iterdir()}
    known = results(out)
    drafts = {name for name in names for result in known if is_draft(name, result)}
    foreign = names - {*known, _LOCK, STAGING} - drafts
    if "run.json" in names and not _is_report(out / "run.json"):
        foreign.add("run.json")
    if not names & {"run.json", _LOCK}:  # without either, names such as `tables` are somebody else's
        foreign |= names - drafts
    for folder, suffixes in _CONTENT.items():
        if folder in names - foreign and (out / folder).is_dir():
            paths = (path for path in (out / folder).iterdir() if not path.name.startswith("."))  # those are drafts
            foreign |= {f"{folder}/{path.name}" for path in paths if path.suffix not in suffixes}
    return sorted(foreign)


def _is_report(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text("utf-8"))["versions"]["factmill"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_graph(folder: Path) -> None:
    """Check that a folder has a graph, or one that was being moved into place.

    Raises:
        BuildError: it does not.
    """
    if not any((folder / name).exists() for name in ("run.json", f"{STAGING}/{_COMPLETE}")):
        raise BuildError(f"'{folder}' is no graph (it has no run.json): build one with 'factmill build INPUT --out'")


def interrupted_plan(out: Path) -> Plan | None:
    """Return the plan of the interrupted command in an output folder, or else of the last one, if any."""
    return read_plan(out / STAGING / FOLDER) or read_plan(out / FOLDER)


def _publish(out: Path) -> None:
    """Move a complete result into place; if this is interrupted, it can be run again.

    `run.json` is removed first and added last, because it shows that the rest is complete.
    """
    folder = out / STAGING
    new = set(json.loads((folder / _COMPLETE).read_text("utf-8")))
    old = folder / _OLD
    old.mkdir(exist_ok=True)
    for name in ("run.json", *results(out, old)):
        if (name not in new or (folder / name).exists()) and (out / name).exists():
            _remove(old / name)
            (out / name).replace(old / name)
    for name in sorted(new, key=lambda name: name == "run.json"):
        if (folder / name).exists():
            (folder / name).replace(out / name)
    (folder / _COMPLETE).unlink()
    shutil.rmtree(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
