"""Titles of a wiki as MediaWiki has them: namespaces, the canonical form of a title, and what a link points to."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from html import unescape
from urllib.parse import unquote

from pipeline.readers.wiki.words import Words, load_table, words

_MEDIA, _FILE, _CATEGORY = -2, 6, 14
_BLANKS = re.compile("[ _\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\t\n\r]+")
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e]")
_DOTTED_I = {"tr", "az", "kaa", "crh", "gag"}  # languages whose capital of i is İ


class Kind(Enum):
    """What a link is."""

    PAGE = "page of the main namespace"
    LABEL = "elsewhere: only its label belongs to the text"
    HIDDEN = "leaves nothing in the text"


@cache
def _prefixes() -> tuple[frozenset[str], frozenset[str]]:
    """Return the prefixes of links to other languages, and to other wikis."""
    table = load_table("interwiki.yaml")
    return frozenset(table["languages"].split()), frozenset(table["others"].split())


@dataclass(frozen=True)
class Site:
    """A wiki.

    Attributes:
        namespaces: number of a namespace by lower-case name, as the dump has them.
        first_letter: whether titles begin with a capital letter.
        language: code of the language, empty if the dump does not name it.
    """

    namespaces: dict[str, int] = field(default_factory=dict)
    first_letter: bool = True
    language: str = ""

    @property
    def words(self) -> Words:
        """The words of wikitext in the language of the wiki."""
        return words(self.language)

    def namespace(self, name: str) -> int | None:
        """Return the number of a namespace, or None if there is none of that name."""
        name = name.lower()
        number = self.namespaces.get(name)
        return self.words.namespaces.get(name) if number is None else number

    def title(self, name: str) -> str:
        """Return the canonical form of a title.

        Character references and percent signs are decoded, marks of direction dropped, blanks and underscores are one
        blank, a section is left out, and the first letter is a capital one unless the wiki minds it.
        """
        name = _decoded(name).partition("#")[0]
        if name.isascii():
            name = " ".join(name.replace("_", " ").split())
        else:
            name = unicodedata.normalize("NFC", _BLANKS.sub(" ", name).strip())
        return self._capital(name) if self.first_letter else name

    def link(self, target: str) -> tuple[Kind, str]:
        """Return what the target of a link is, and the canonical title if it is a page."""
        target = _decoded(target).strip()
        if target.startswith(":"):
            kind, title = self.link(target[1:]) if not target.startswith("::") else (Kind.LABEL, "")
            return (kind if kind is Kind.PAGE else Kind.LABEL), title
        prefix, colon, _ = target.partition(":")
        if colon:
            prefix = _BLANKS.sub(" ", prefix).strip().lower()
            number = self.namespace(prefix)
            if number:
                return (Kind.HIDDEN if number in (_FILE, _CATEGORY) else Kind.LABEL), ""
            languages, others = _prefixes()
            if prefix in languages:
                return (Kind.LABEL if prefix == self.language else Kind.HIDDEN), ""
            if prefix in others:
                return Kind.LABEL, ""
        title = self.title(target)
        return (Kind.PAGE, title) if title else (Kind.LABEL, "")

    def category(self, target: str) -> str:
        """Return the name of the category that a link puts the page in, or an empty text."""
        prefix, colon, name = _decoded(target).partition(":")
        is_category = colon and self.namespace(_BLANKS.sub(" ", prefix).strip()) == _CATEGORY
        return self.title(name) if is_category else ""

    def _capital(self, name: str) -> str:
        """Return the title with a capital first letter, if that letter has one of one letter; Georgian has none."""
        first = name[:1]
        capital = "İ" if first == "i" and self.language in _DOTTED_I else first.upper()
        if len(capital) != 1 or "ა" <= first <= "ჿ":
            return name
        return capital + name[1:]


def _decoded(name: str) -> str:
    """Return a title without character references, percent signs that stand for bytes, and marks of direction."""
    if "&" in name:
        name = unescape(name)
    if "%" in name:
        with suppress(UnicodeDecodeError):
            name = unquote(name, errors="strict")
    return name if name.isascii() else _DIRECTIONS.sub("", name)
