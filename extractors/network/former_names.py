"""Former names in checkpoints and recipes, translated where they are read, so that old files stay readable."""

from __future__ import annotations

from typing import Any

HEADS = {"joined": "typed-atlop"}


def current_names(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a configuration or a recipe with the names of today."""
    head = values.get("head")
    return {**values, "head": HEADS.get(head, head)} if isinstance(head, str) else values
