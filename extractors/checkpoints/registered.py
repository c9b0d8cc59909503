"""Checkpoints that installed distributions register by entry points of the group `factmill.checkpoints`."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

from schemas.plugins import load_plugin, plugin_names, wrong_plugin

GROUP = "factmill.checkpoints"


def registered_names() -> list[str]:
    """Return the names of the checkpoints that distributions register; imports nothing of them."""
    return plugin_names(GROUP)


def registered_checkpoint(name: str, builtin: Collection[str]) -> Path | None:
    """Return the folder of the checkpoint that a distribution registers under a name, or None if none does.

    The entry point names a module, whose folder is that of the checkpoint; or a path; or a function without arguments
    that returns the path, for example after a download.

    Raises:
        PluginError: the name belongs to factmill, or what is registered is no checkpoint.
    """
    found = load_plugin(GROUP, name, builtin)
    if found is None:
        return None
    place = Path(found.__file__).parent if isinstance(found, ModuleType) and found.__file__ else found
    place = place() if callable(place) else place
    if not isinstance(place, str | os.PathLike) or not (Path(place) / "config.json").is_file():
        expected = "a module in the folder of a checkpoint (with config.json), a path, or a function that returns one"
        raise wrong_plugin(GROUP, name, expected, found)
    return Path(place)
