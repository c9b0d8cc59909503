"""The plan of an extraction: everything that its result depends on, so that only the same extraction is continued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from pipeline.build_options import BuildOptions
from pipeline.dead_letters import BuildError, BuildFailed
from pipeline.store.store import FORMAT
from schemas import content_hash
from schemas.atomic_files import replacing

# In the folder of the shards, also when they are complete.
PLAN = "plan.json"


class InputFile(msgspec.Struct, frozen=True):
    """The state of a file: its path, its size in bytes, and the time of its last change in nanoseconds."""

    path: str
    size: int
    changed: int


class Plan(msgspec.Struct, frozen=True):
    """The inputs of an extraction.

    Attributes:
        command: `build` or `update`.
        options: the options that the result depends on; the others have their defaults.
        files: the input files.
        extractor: what identifies the extractor.
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
        relevant = msgspec.structs.replace(options, workers=None, runner="local", beam=(), batch_cost=None)
        return cls(command, relevant, input_state(paths), without_name(extractor), dict(versions))

    def check_inputs(self) -> None:
        """Check that no input file has changed.

        Raises:
            BuildFailed: one has; its documents may be of either state.
        """
        for file, now in zip(self.files, input_state(file.path for file in self.files), strict=True):
            if file != now:
                raise BuildFailed(f"'{file.path}' changed while it was read: run the command again, without --resume")

    def write(self, folder: Path) -> None:
        """Write the plan into a folder; the file appears complete or not at all."""
        with replacing(folder / PLAN) as draft:
            draft.write_bytes(msgspec.json.encode(self))


def read_plan(folder: Path) -> Plan | None:
    """Return the plan of the shards in a folder, or None if there is none that this version can read."""
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError):
        return None


def plan_hash(folder: Path) -> str:
    """Return the hash of the plan of the shards in a folder.

    Raises:
        FileNotFoundError: the folder has no plan.
    """
    return content_hash("plan", (folder / PLAN).read_text("utf-8"))


def check_same_plan(begun: Plan, plan: Plan, out: Path) -> None:
    """Check that an interrupted plan is the one to continue.

    Raises:
        BuildError: it is not; the message names the differences.
    """
    names = ("command", "options", "files", "extractor", "versions", "format")
    wrong = [name for name in names if getattr(begun, name) != getattr(plan, name)]
    if wrong:
        detail = " and ".join(_DIFFERENT[name] for name in wrong)
        raise BuildError(
            f"the command interrupted in '{out}' cannot be continued, {detail}: start again without --resume"
        )


_DIFFERENT = {
    "command": "because it was another command",
    "options": "because its options were different",
    "files": "because its input files were different or have changed",
    "extractor": "because its extractor was different",
    "versions": "because it ran with other versions of the packages",
    "format": "because it was started by another version of factmill",
}


def input_state(paths: Iterable[str]) -> tuple[InputFile, ...]:
    """Return the states of files; a file that does not exist has a negative size."""
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
    """Return what identifies an extractor without its name, which depends on its place."""
    return {key: value for key, value in extractor.items() if key != "model"}
