"""Words of wikitext that depend on the language of a wiki, from the tables in data/words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

TABLES = files("pipeline.readers.wiki") / "data"

_BRACKETED = re.compile(r"\(([^()]+)\)$")


@dataclass(frozen=True)
class Words:
    """Words of the wikis of one language, in lower case.

    Attributes:
        language: code of the language.
        namespaces: number of a namespace by name.
        redirect: words behind `#` that begin a redirect.
        appendix: headings of sections that hold no prose, such as References.
        joints: words that join two headings to one, such as "and".
        listed_titles: what stands in brackets in the title of a disambiguation page.
        listed_categories: what the name of a category of disambiguation pages contains.
        listed_templates: names of templates of disambiguation pages.
        listed_endings: endings of such names.
        shown: what a template shows, by its name.
        silent: names of templates that a reader does not miss.
    """

    language: str
    namespaces: Mapping[str, int]
    redirect: frozenset[str]
    appendix: frozenset[str]
    joints: frozenset[str]
    listed_titles: frozenset[str]
    listed_categories: tuple[str, ...]
    listed_templates: frozenset[str]
    listed_endings: tuple[str, ...]
    shown: Mapping[str, str]
    silent: frozenset[str]
    redirection: re.Pattern[str] = field(init=False, repr=False, compare=False)  # of the text of a redirect
    _joint: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        choice = "|".join(re.escape(word) for word in sorted(self.joints))
        redirect = "|".join(re.escape(word) for word in sorted(self.redirect))
        begin = re.compile(rf"\s*#\s*(?:{redirect})[^\[\n]{{0,20}}\[\[([^\[\]|]+)", re.IGNORECASE)
        object.__setattr__(self, "redirection", begin)
        object.__setattr__(self, "_joint", re.compile(rf"\s+(?:{choice})\s+|\s*[,/;:]\s*"))

    def is_appendix(self, heading: str) -> bool:
        """Say whether a section holds no prose: its heading is a word for that, or joins several of them."""
        heading = heading.lower().strip(" :.")
        return heading in self.appendix or all(part in self.appendix for part in self._joint.split(heading))

    def lists_pages(self, title: str) -> bool:
        """Say whether the title is that of a disambiguation page."""
        match = _BRACKETED.search(title.lower())
        return match is not None and match[1] in self.listed_titles

    def lists_pages_by_category(self, category: str) -> bool:
        """Say whether a category is one of disambiguation pages."""
        category = category.lower()
        return any(part in category for part in self.listed_categories)

    def lists_pages_by_template(self, template: str) -> bool:
        """Say whether a template is one of disambiguation pages."""
        return template in self.listed_templates or template.endswith(self.listed_endings)


LANGUAGES: tuple[str, ...] = tuple(
    sorted(entry.name.removesuffix(".yaml") for entry in (TABLES / "words").iterdir() if entry.name.endswith(".yaml"))
)


@cache
def words(language: str = "en") -> Words:
    """Return the words of the wikis of a language; names in English are understood everywhere.

    A language without a table has the English words, an empty one the words of all tables and the English templates.
    """
    names = list(dict.fromkeys(["en", language])) if language else [*LANGUAGES, "en"]
    tables = [load_table(f"words/{name}.yaml") for name in names if name in LANGUAGES]
    own = tables if language else tables[-1:]
    listed = [table.get("disambiguation", {}) for table in tables]
    return Words(
        language=language,
        namespaces={
            name: int(number)
            for table in tables
            for number, entries in table.get("namespaces", {}).items()
            for name in entries
        },
        redirect=_joined(tables, "redirect"),
        appendix=_joined(tables, "appendix"),
        joints=_joined(tables, "and"),
        listed_titles=_joined(listed, "titles"),
        listed_categories=tuple(sorted(_joined(listed, "categories"))),
        listed_templates=frozenset(name for table in listed for name in names_of(table.get("templates", ""))),
        listed_endings=tuple(sorted(_joined(listed, "endings"))),
        shown=_shown(own, language),
        silent=frozenset(name for table in own for name in names_of(table.get("silent", ""))),
    )


def load_table(name: str) -> dict[Any, Any]:
    """Return a table of the folder data."""
    text = (TABLES / name).read_text(encoding="utf-8")
    loaded: dict[Any, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return loaded


def names_of(entries: str) -> list[str]:
    """Return the names of templates in an entry of a table, which `|` separates."""
    return [name for part in entries.split(" | ") if (name := " ".join(part.split()))]


def _shown(tables: list[dict[Any, Any]], language: str) -> dict[str, str]:
    """Return what templates show; those of later tables go before those of earlier ones."""
    shown: dict[str, str] = {}
    for table in tables:
        elsewhere = {} if language in ("", "en") else table.get("elsewhere", {})
        for name in names_of(table.get("silent", "")):
            shown.pop(name, None)
        for form, entries in table.get("templates", {}).items():
            shown.update(dict.fromkeys(names_of(entries), elsewhere.get(form, form)))
    return shown


def _joined(tables: Iterable[Mapping[str, Any]], key: str) -> frozenset[str]:
    return frozenset(str(word) for table in tables for word in table.get(key, []))
