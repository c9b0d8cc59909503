"""Titles of a wiki: namespaces, the canonical form of a title, and what a link points to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from html import unescape

# Canonical names that every wiki understands beside its own.
_CANONICAL = {
    "media": -2, "special": -1, "talk": 1, "user": 2, "user talk": 3, "project": 4, "project talk": 5, "wikipedia": 4,
    "file": 6, "image": 6, "file talk": 7, "image talk": 7, "mediawiki": 8, "template": 10, "template talk": 11,
    "help": 12, "help talk": 13, "category": 14, "category talk": 15, "portal": 100, "module": 828,
}  # fmt: skip
_NOT_SHOWN = {-2, 6, 14}  # links to files and categories leave no words in the text
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*|simple")
_SISTERS = {
    "wikt", "wiktionary", "s", "wikisource", "b", "wikibooks", "n", "wikinews", "q", "wikiquote", "v",
    "wikiversity", "voy", "wikivoyage", "species", "wikispecies", "c", "commons", "d", "wikidata", "m", "meta",
    "mw", "wmf", "foundation", "w", "wikipedia", "doi", "hdl", "pmid", "arxiv", "rfc", "bugzilla", "phab",
    "toollabs", "iarchive",
}  # fmt: skip


class Kind(Enum):
    """What a link is."""

    PAGE = "page of the main namespace"
    LABEL = "elsewhere: only its label belongs to the text"
    HIDDEN = "leaves nothing in the text"


@dataclass(frozen=True)
class Site:
    """A wiki: the numbers of its namespaces by lower-case name, and whether the first letter of a title is capital."""

    namespaces: dict[str, int] = field(default_factory=dict)
    first_letter: bool = True

    def namespace(self, name: str) -> int | None:
        """Return the number of a namespace, or None if there is none of that name."""
        name = name.lower()
        return self.namespaces.get(name, _CANONICAL.get(name))

    def title(self, name: str) -> str:
        """Return the canonical form of a title: no section, blanks for underscores, capital first letter."""
        name = unescape(name) if "&" in name else name
        name = " ".join(name.partition("#")[0].replace("_", " ").split())
        return name[:1].upper() + name[1:] if self.first_letter else name

    def link(self, target: str) -> tuple[Kind, str]:
        """Return what the target of a link is, and the canonical title if it is a page."""
        target = target.strip()
        if target.startswith(":"):
            kind, title = self.link(target[1:]) if not target.startswith("::") else (Kind.LABEL, "")
            return (kind if kind is Kind.PAGE else Kind.LABEL), title
        prefix, colon, _ = target.partition(":")
        if colon:
            prefix = prefix.replace("_", " ").strip()
            number = self.namespace(prefix)
            if number is not None and number != 0:
                return (Kind.HIDDEN if number in _NOT_SHOWN else Kind.LABEL), ""
            if prefix.lower() in _SISTERS:
                return Kind.LABEL, ""
            if _LANGUAGE.fullmatch(prefix):
                return Kind.HIDDEN, ""
        title = self.title(target)
        return (Kind.PAGE, title) if title else (Kind.LABEL, "")
