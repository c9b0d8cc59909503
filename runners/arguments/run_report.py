"""`run.json`, the report that a build leaves in its output folder, as other commands read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from runners.errors import UserError
from schemas import RelationSchema


def read_report(folder: Path) -> dict[str, Any]:
    """Return the report of the build in a folder.

    Raises:
        UserError: there is none, or it is damaged.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise UserError(f"'{folder}' is no graph (it has no run.json): build one with 'factmill build INPUT --out DIR'")
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not valid JSON"
        raise UserError(f"cannot read '{path}' ({reason}): build the graph again") from None
    if not isinstance(report, dict):
        raise UserError(f"'{path}' is not the report of a build: build the graph again")
    return report


def relation_schema(folder: Path) -> RelationSchema:
    """Return the relation schema that the graph in a folder was built with.

    Raises:
        UserError: the report is missing, damaged or without a schema.
    """
    try:
        return msgspec.convert(read_report(folder).get("relation_schema"), RelationSchema)
    except msgspec.ValidationError as error:
        raise UserError(
            f"'{folder / 'run.json'}' has no valid relation schema ({error}): build the graph again"
        ) from None
