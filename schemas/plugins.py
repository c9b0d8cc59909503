"""Plugins: parts of factmill that other distributions register by entry points.

A distribution registers a part of its own under a name, in the group of its kind, in its `pyproject.toml`:

    [project.entry-points."factmill.heads"]
    product = "my_package.product:Product"

The object is imported when its name is used, and not before: an unused plugin costs nothing and breaks nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points
from typing import Any

# Groups of entry points, with what messages call a member of them.
KINDS = {
    "factmill.checkpoints": "checkpoint",
    "factmill.heads": "relation head",
    "factmill.readers": "reader",
    "factmill.schemas": "relation schema",
    "factmill.sinks": "sink",
}


class PluginError(ValueError):
    """A plugin cannot be used; the message names the distribution that registers it, and the remedy."""


def plugin_names(group: str) -> list[str]:
    """Return the names that distributions register in a group, sorted; imports nothing of them."""
    return sorted({entry.name for entry in entry_points(group=group)})


def load_plugin(group: str, name: str, builtin: Collection[str] = ()) -> Any | None:
    """Return the object that a distribution registers under a name, or None if no distribution registers the name.

    Args:
        group: one of `KINDS`.
        name: the name.
        builtin: names that factmill itself uses in this group; no plugin may have one of them.

    Raises:
        PluginError: the name belongs to factmill or to several distributions, or the object cannot be imported.
    """
    found = _registered(group, name)
    if not found:
        return None
    kind, owners = KINDS[group], " and ".join(_distribution(entry) for entry in found)
    if name in builtin:
        raise PluginError(
            f"{owners} registers the {kind} '{name}', and factmill has one of this name: uninstall the distribution, "
            f"or rename its entry point in the group '{group}'"
        )
    if len(found) > 1:
        raise PluginError(
            f"{owners} register a {kind} '{name}': uninstall all but one, or rename an entry point in '{group}'"
        )
    [entry] = found
    try:
        return entry.load()
    except Exception as error:  # importing someone else's module may raise anything
        raise PluginError(
            f"the {kind} '{name}' of {owners} ({entry.value}) cannot be imported "
            f"({type(error).__name__}: {error}): repair or uninstall the distribution"
        ) from error


def wrong_plugin(group: str, name: str, expected: str, found: object) -> PluginError:
    """Return the error for a plugin whose object is not of the kind that its group holds."""
    owners = " and ".join(_distribution(entry) for entry in _registered(group, name))
    shown = f"the class {found.__name__}" if isinstance(found, type) else f"a {type(found).__name__}"
    return PluginError(f"the {KINDS[group]} '{name}' of {owners} is {shown}: it must be {expected}")


def _registered(group: str, name: str) -> list[EntryPoint]:
    """Return the entry points of a name: one of each distribution, also where two copies of it are on the path."""
    unique = {(_distribution(entry), entry.value): entry for entry in entry_points(group=group, name=name)}
    return [unique[key] for key in sorted(unique)]


def _distribution(entry: EntryPoint) -> str:
    return "an unnamed distribution" if entry.dist is None else f"'{entry.dist.name} {entry.dist.version}'"
