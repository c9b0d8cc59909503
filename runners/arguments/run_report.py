"""`run.json`, the report of a build, for commands that read a graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pipeline.build_report import BuildReport
from schemas import RelationSchema


def read_report(folder: Path) -> dict[str, Any]:
    """Return the report of the graph in a folder as plain values.

    Raises:
        BuildError: there is none, or it is damaged.
    """
    report: dict[str, Any] = msgspec.to_builtins(BuildReport.read(folder))
    return report


def relation_schema(folder: Path) -> RelationSchema:
    """Return the relation schema that the graph in a folder was built with.

    Raises:
        BuildError: the report is missing, damaged or without a schema.
    """
    return BuildReport.read(folder).relation_schema
