"""`run.json`: the report of the command that made a graph."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

from pipeline.build_options import BuildOptions
from pipeline.dead_letters import BuildError
from pipeline.record_counts import Counts
from schemas import RelationSchema

REPORT = "run.json"
_PACKAGES = ("factmill", "apache-beam", "torch", "tokenizers", "msgspec", "pyarrow", "pyoxigraph", "ladybug")


class BuildReport(msgspec.Struct, frozen=True):
    """The content of `run.json`.

    Attributes:
        command: `build`, `update`, `remove` or `merge`.
        options: as given; a command that changes a graph keeps the options of its build.
        extractor: what identifies the extractor.
        inputs: names of the files that were read for the graph, those of earlier commands included.
        counts: records in and out of every stage.
        written: the counts of every sink, by the name of its file.
        seconds: time of every stage and sink, and `total`.
        versions: of Python and the packages that matter.
        relation_schema: the relations of the edges, so that the folder is self-contained.
        warnings: what users should know before they rely on the graph.
    """

    command: str
    options: BuildOptions
    extractor: dict[str, str]
    inputs: tuple[str, ...]
    counts: Counts
    written: dict[str, dict[str, int]]
    seconds: dict[str, float]
    versions: dict[str, str]
    relation_schema: RelationSchema
    warnings: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write the report into a folder."""
        (folder / REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")

    @classmethod
    def read(cls, folder: Path) -> BuildReport:
        """Return the report of the graph in a folder.

        Raises:
            BuildError: there is none, or another version of factmill wrote it.
        """
        path = folder / REPORT
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (FileNotFoundError, NotADirectoryError):
            raise BuildError(
                f"'{folder}' is no graph (it has no {REPORT}): build one with 'factmill build INPUT --out {folder}'"
            ) from None
        except msgspec.MsgspecError as error:
            raise BuildError(
                f"'{path}' is damaged or by another version of factmill ({error}): build the graph again from its files"
            ) from None


def versions() -> dict[str, str]:
    """Return the versions of Python, factmill and the packages that results depend on."""
    return {"python": platform.python_version(), **{package: _version(package) for package in _PACKAGES}}


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
