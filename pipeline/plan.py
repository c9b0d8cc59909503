"""The plan of an extraction: all that its result depends on, so that it is continued only as it was begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from pipeline.build_options import BuildOptions
from pipeline.dead_letters import BuildError, BuildFailed
from pipeline.store.store import FORMAT
from schemas import content_hash
from schemas.atomic_files import replacing

# Lies beside the shards that it is about, also when they are complete.
PLAN = "plan.json"


class InputFile(msgspec.Struct, frozen=True):
    """A file as it was: where it lies, its bytes, and when it changed, in nanoseconds."""

    path: str
    size: int
    changed: int


class Plan(msgspec.Struct, frozen=True):
    """What is extracted from what.

    Attributes:
        command: `build` or `update`.
        options: those that the result depends on; how many work where is left at its default.
        files: the input files.
        extractor: what tells the extractor from others.
        versions: of factmill and the packages that results depend on.
        format: of the store.
    """

    command: str
    options: BuildOptions
    files: tuple[InputFile, ...]
    extractor: dict[str, str]
    versions: dict[str, str]
    format: int = FORMAT

    @classmethod
    def of(
        cls,
        command: str,
        options: BuildOptions,
        paths: Iterable[str],
        extractor: Mapping[str, str],
        versions: Mapping[str, str],
    ) -> Plan:
        """Return the plan for files as they are now."""
        told = msgspec.structs.replace(options, workers=None, runner="local", beam=(), batch_cost=None)
        return cls(command, told, input_state(paths), without_name(extractor), dict(versions))

    def check_inputs(self) -> None:
        """Check that no file changed since.

        Raises:
            BuildFailed: one did; its documents may be of either state.
        """
        for file, now in zip(self.files, input_state(file.path for file in self.files), strict=True):
            if file != now:
                raise BuildFailed(f"'{file.path}' changed while it was read: run the command again, without --resume")

    def write(self, folder: Path) -> None:
        """Write it into a folder, complete or not at all."""
        with replacing(folder / PLAN) as draft:
            draft.write_bytes(msgspec.json.encode(self))


def read_plan(folder: Path) -> Plan | None:
    """Return the plan of the shards in a folder, or None if there is none that this version understands."""
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError):
        return None


def plan_hash(folder: Path) -> str:
    """Return what tells the plan of the shards in a folder from every other.

    Raises:
        FileNotFoundError: there is none, or none any more.
    """
    return content_hash("plan", (folder / PLAN).read_text("utf-8"))


def check_same_plan(begun: Plan, plan: Plan, out: Path) -> None:
    """Check that what was begun is what shall be continued.

    Raises:
        BuildError: it is not; the message says in what they differ.
    """
    names = ("command", "options", "files", "extractor", "versions", "format")
    wrong = [name for name in names if getattr(begun, name) != getattr(plan, name)]
    if wrong:
        detail = " and ".join(_DIFFERENT[name] for name in wrong)
        raise BuildError(f"what was interrupted in '{out}' cannot be continued, {detail}: begin anew without --resume")


_DIFFERENT = {
    "command": "for it was another command",
    "options": "its options were others",
    "files": "its input files were others or have changed",
    "extractor": "its extractor was another",
    "versions": "it ran with other versions of the packages",
    "format": "it was begun by another version of factmill",
}


def input_state(paths: Iterable[str]) -> tuple[InputFile, ...]:
    """Return where files lie and what state they are in; a file that is gone has a negative size."""
    states = []
    for path in paths:
        resolved = Path(path).resolve()
        try:
            state = resolved.stat()
            states.append(InputFile(str(resolved), state.st_size, state.st_mtime_ns))
        except OSError:
            states.append(InputFile(str(resolved), -1, 0))
    return tuple(states)


def without_name(extractor: Mapping[str, str]) -> dict[str, str]:
    """Return what tells an extractor from others without what it is called, which depends on where it lies."""
    return {key: value for key, value in extractor.items() if key != "model"}
