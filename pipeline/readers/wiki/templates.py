"""What a template shows: a form from the tables, filled with the parameters of the template."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from pipeline.readers.wiki.numbers import Parameters
from pipeline.readers.wiki.rules import RULES, Rule, country_code, is_country_code
from pipeline.readers.wiki.words import Words, words

_SPLIT = re.compile(r"\[\[|\]\]|\|")
_NAMED = re.compile(r"\s*([\w .-]{1,40}?)\s*=", re.UNICODE)
_NAME = re.compile(r"\s*([^|{}\[\]<>\n]{1,100})")
_PIECE = re.compile(r"\(\?|\?\)|\{([^{}]+)\}")
_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "lc": str.lower,
    "uc": str.upper,
    "ucfirst": lambda text: text[:1].upper() + text[1:],
    "formatnum": str,
}


_CACHED = 20_000  # names of templates whose forms are kept


class _Value(NamedTuple):
    """The first parameter of some that is given; a name in quotes stands for itself."""

    names: tuple[str, ...]


class _Optional(NamedTuple):
    """Pieces that are shown only if all values in them are given."""

    pieces: tuple[_Piece, ...]


_Piece = str | _Value | _Optional
Form = Rule | tuple[_Piece, ...]


class Templates:
    """The templates of the wikis of a language: what they show, and which of them nobody misses."""

    def __init__(self, table: Words) -> None:
        self._words = table
        self._forms = {name: _compile(form) for name, form in table.shown.items() if "*" not in name}
        self._families = [(_family(name), _compile(form)) for name, form in table.shown.items() if "*" in name]
        self._silent = {name for name in table.silent if "*" not in name}
        self._entries: dict[str, tuple[Form | None, bool]] = {}
        self._silent_families = _family(*sorted(name for name in table.silent if "*" in name))

    def known(self, name: str) -> Form | None:
        """Return what a template of this name shows, or None if it shows nothing."""
        return self._entry(name)[0]

    def is_silent(self, name: str) -> bool:
        """Say whether a reader does not miss the template where it leaves nothing."""
        return self._entry(name)[1]

    def _entry(self, name: str) -> tuple[Form | None, bool]:
        entry = self._entries.get(name)
        if entry is None:
            silent = name in self._silent or self._silent_families.fullmatch(name) is not None
            entry = self._find(name), silent
            if len(self._entries) < _CACHED:
                self._entries[name] = entry
        return entry

    def _find(self, name: str) -> Form | None:
        form = self._forms.get(name)
        if form is None:
            if name.partition(":")[0] in _FUNCTIONS and ":" in name:
                return _by_function
            if is_country_code(name):
                return country_code
            form = next((form for pattern, form in self._families if pattern.fullmatch(name)), None)
        return form

    def is_disambiguation(self, name: str) -> bool:
        """Say whether the template marks a page as a disambiguation page."""
        return self._words.lists_pages_by_template(name)


@cache
def templates(language: str) -> Templates:
    """Return the templates of the wikis of a language."""
    return Templates(words(language))


def name_of(text: str, start: int) -> str:
    """Return the name of the template whose text begins at `start`, in lower case without underscores."""
    match = _NAME.match(text, start)
    name = match[1].rstrip().lower() if match else ""
    return " ".join(name.replace("_", " ").split()) if "_" in name or "  " in name else name


def show(form: Form, inner: str) -> str:
    """Return the wikitext that a template shows; `inner` is the text between its braces."""
    name, parameters = _parameters(inner)
    return form(name, parameters) if callable(form) else _fill(form, {**parameters, "0": name})[0]


def _parameters(inner: str) -> tuple[str, dict[str, str]]:
    """Return the name as it is written, and the parameters by name; those without a name are counted from 1."""
    parts: list[str] = []
    depth = start = 0
    for match in _SPLIT.finditer(inner):
        if match[0] == "[[":
            depth += 1
        elif match[0] == "]]":
            depth = max(0, depth - 1)
        elif not depth:
            parts.append(inner[start : match.start()])
            start = match.end()
    parts.append(inner[start:])
    found: dict[str, str] = {}
    position = 0
    for part in parts[1:]:
        if named := _NAMED.match(part):
            found[named[1].lower()] = part[named.end() :].strip()
        else:
            position += 1
            found[str(position)] = part.strip()
    return " ".join(parts[0].replace("_", " ").split()), found


def _compile(form: str) -> Form:
    if form.startswith("="):
        return RULES[form[1:]]
    stack: list[list[_Piece]] = [[]]
    at = 0
    for match in _PIECE.finditer(form):
        stack[-1].append(form[at : match.start()])
        at = match.end()
        if match[0] == "(?":
            stack.append([])
        elif match[0] == "?)":
            pieces = stack.pop()
            stack[-1].append(_Optional(tuple(pieces)))
        else:
            stack[-1].append(_Value(tuple(match[1].split("|"))))
    stack[-1].append(form[at:])
    return tuple(piece for piece in stack[0] if piece)


def _fill(pieces: tuple[_Piece, ...], parameters: dict[str, str]) -> tuple[str, bool]:
    """Return the filled pieces, and whether all values in them were given."""
    filled: list[str] = []
    complete = True
    for piece in pieces:
        if isinstance(piece, str):
            filled.append(piece)
        elif isinstance(piece, _Optional):
            text, whole = _fill(piece.pieces, parameters)
            filled.append(text if whole else "")
        else:
            value = next((value for name in piece.names if (value := _value(name, parameters))), "")
            complete = complete and bool(value)
            filled.append(value)
    return "".join(filled), complete


def _value(name: str, parameters: dict[str, str]) -> str:
    return name[1:-1] if name.startswith("'") else parameters.get(name, "")


def _by_function(name: str, _: Parameters) -> str:
    """Return what a function of the parser shows, such as `{{formatnum:5}}` and `{{lc:ADA}}`."""
    function, argument = name.split(":", 1)
    return _FUNCTIONS[function.strip().lower()](argument.strip())


def _family(*names: str) -> re.Pattern[str]:
    """Return a pattern for names with `*` in place of any text."""
    choice = "|".join(".*".join(map(re.escape, name.split("*"))) for name in names)
    return re.compile(choice or r"(?!)")
