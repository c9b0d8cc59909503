"""Source formats by name: how each is recognised and read, and how packages of users add theirs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.readers.head import Head
from pipeline.readers.part import Part
from schemas import Intake
from schemas.plugins import load_plugin, plugin_names, wrong_plugin

GROUP = "factmill.readers"


@dataclass(frozen=True)
class Format:
    """A source format.

    Attributes:
        name: what users write after `--format`.
        read: yields every record of a part as a document, dead letter, skip, removal or redirect; bad content never
            raises.
        recognise: tells from the beginning of a file whether it is of this format.
        splittable: whether records can be found from any byte of a file on, so that several workers can read one file.
        public_ids: whether ids mean the same in every file, as PubMed's do, so that no prefix may be put before them.
    """

    name: str
    read: Callable[[Part], Iterator[Intake]]
    recognise: Callable[[Head], bool]
    splittable: bool = False
    public_ids: bool = False


_FORMATS: dict[str, Format] = {}


def register(format: Format) -> Format:
    """Add a format; it is asked whether it recognises a file before those that were registered earlier.

    Registration holds for this process. Worker processes know the readers that installed distributions register as
    entry points of the group `factmill.readers`.

    Raises:
        ValueError: the name is taken.
    """
    if _FORMATS.get(format.name, format) != format:
        raise ValueError(f"there is a reader for the format {format.name!r} already: choose another name")
    _FORMATS[format.name] = format
    return format


def unregister(name: str) -> None:
    """Remove a format that was registered, for example at the end of a test."""
    _FORMATS.pop(name, None)


def registered() -> dict[str, Format]:
    """Return all formats by name, in the order of registration and those of other distributions last.

    Raises:
        PluginError: the reader of a distribution cannot be used.
    """
    return _FORMATS | _plugins(tuple(_FORMATS), tuple(sys.path))


@lru_cache(maxsize=8)
def _plugins(taken: tuple[str, ...], _path: tuple[str, ...]) -> dict[str, Format]:
    """Return the formats of installed distributions; they are looked for again when Python's path changes."""
    found = {}
    for name in plugin_names(GROUP):
        format = load_plugin(GROUP, name, taken)
        if not isinstance(format, Format):
            raise wrong_plugin(GROUP, name, "a Format (see docs/how-to/add-a-reader.md)", format)
        found[name] = replace(format, name=name)
    return found
