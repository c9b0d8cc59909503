"""Templates of links, names and lists, and the rules by the name that the tables use for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from pipeline.readers.wiki import numbers
from pipeline.readers.wiki.numbers import Parameters, positional
from pipeline.readers.wiki.words import load_table

Rule = Callable[[str, Parameters], str]

_CODE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*")
_SUBMARINES = {"SMU": "SM"}


@cache
def _languages() -> dict[str, tuple[str, str]]:
    """Return the name of a language and the title of its article, by code."""
    table = load_table("languages.yaml")
    return {
        **{str(code): (name, f"{name} language") for code, name in table["language"].items()},
        **{str(code): (name, name) for code, name in table["title"].items()},
    }


@cache
def _countries() -> dict[str, str]:
    """Return the name of a country by its codes of three letters."""
    return {str(code): name for name, codes in load_table("countries.yaml").items() for code in codes.split()}


def language(name: str, parameters: Parameters) -> str:
    """Return a word of another language with the name of the language: `langx|de|See` is "German: See"."""
    code, text, *further = _word(name, parameters)
    known = _languages().get(code) or _languages().get(code.partition("-")[0])
    label = parameters.get("label", "")
    shown = text
    if label not in ("none", "no", "n") and known:
        shown = f"{label or f'[[{known[1]}|{known[0]}]]'}: {text}"
    translit = parameters.get("translit") or (further[0] if further else "")
    meaning = parameters.get("lit") or (further[1] if len(further) > 1 else "")
    return shown + (f", romanized: {translit}" if translit else "") + (f", lit. '{meaning}'" if meaning else "")


def language_text(name: str, parameters: Parameters) -> str:
    """Return a word of another language alone."""
    return _word(name, parameters)[1]


def _word(name: str, parameters: Parameters) -> list[str]:
    """Return the code of the language, the word, and what follows it."""
    items = positional(parameters, empty=True)
    if name.lower().startswith("lang-"):
        items = [name[5:], *items]
    if "text" in parameters:
        items[1:2] = [parameters["text"]]
    code, text, *further = [*items, "", ""] if len(items) < 2 else items
    return [code.lower(), text, *(item for item in further if item)]


def interlanguage(_: str, parameters: Parameters) -> str:
    """Return a link to an article that only other wikis have: `Karl Kern|de`, and the older form `de|Karl Kern`."""
    items = positional(parameters)
    label = parameters.get("lt") or parameters.get("label") or ""
    if len(items) > 1 and _CODE.fullmatch(items[0]) and not _CODE.fullmatch(items[1]):
        label = label or (items[2] if len(items) > 2 else "")
        items = items[1:]
    title = parameters.get("en") or (items[0] if items else "")
    return _link(title, label)


def nihongo(_: str, parameters: Parameters) -> str:
    """Return a Japanese term: its English name with the writing and the reading in brackets."""
    items = (*positional(parameters, empty=True), "", "", "", "")
    name = items[0] or items[2]
    rest = ", ".join(item for item in (items[1], items[2] if items[0] else "", items[3]) if item)
    return f"{name} ({rest})" if rest else name


def country(_: str, parameters: Parameters) -> str:
    """Return a link to a country, by its name or its code."""
    title = _country(parameters.get("1", ""))
    return _link(title, parameters.get("name") or title.removesuffix(" (country)"))


def country_code(name: str, _: Parameters) -> str:
    """Return a link to the country whose code is the name of the template, such as `{{USA}}`."""
    return country(name, {"1": name}) if name.isupper() else ""


def is_country_code(name: str) -> bool:
    """Say whether a template is named after a country."""
    return name.upper() in _countries()


def _team(of: str) -> Rule:
    def team(_: str, parameters: Parameters) -> str:
        name = _country(parameters.get("1", ""))
        return _link(f"{name} {of}", name) if name else ""

    return team


def _country(text: str) -> str:
    return _countries().get(text, text)


def person(_: str, parameters: Parameters) -> str:
    """Return the name of a person in its order, with its link."""
    first, last, title = (*positional(parameters, empty=True), "", "", "")[:3]
    name = f"{first} {last}".strip()
    if parameters.get("nolink"):
        return name
    return _link(title or name + (f" ({parameters['dab']})" if parameters.get("dab") else ""), name)


def ship(name: str, parameters: Parameters) -> str:
    """Return a link to a ship by the prefix that is the name of the template: `HMS|Valiant|1914|6`."""
    prefix = _SUBMARINES.get(name.upper(), name if not name.islower() else name.upper())
    return _ship(prefix, *(*positional(parameters, empty=True), "", "", "")[:3])


def named_ship(_: str, parameters: Parameters) -> str:
    """Return a link to a ship with any prefix: `Polish ship|Orla|1901|2`."""
    return _ship(*(*positional(parameters, empty=True), "", "", "", "")[:4])


def submarine(_: str, parameters: Parameters) -> str:
    """Return a link to a German submarine."""
    return _ship("German submarine", *(*positional(parameters, empty=True), "", "", "")[:3])


def _ship(prefix: str, name: str, mark: str, form: str) -> str:
    """Return the link to a ship; `form` says which parts of its name are shown."""
    if not name:
        return ""
    full = f"{prefix} {name}".strip()
    title = f"{full} ({mark})" if mark else full
    forms = {"1": mark or name, "2": name, "3": title.removeprefix(f"{prefix} "), "4": full, "5": name, "6": full}
    return _link(title, forms.get(form, title))


def ship_class(_: str, parameters: Parameters) -> str:
    """Return a link to a class of ships: `Nimitz|aircraft carrier` is "Nimitz-class aircraft carrier"."""
    name, kind, form = (*positional(parameters, empty=True), "", "", "")[:3]
    title = f"{name}-class {kind}".strip()
    return _link(title, {"2": f"{name} class", "1": f"{name}-class", "5": f"{name}-class"}.get(form, title))


def harvard(_: str, parameters: Parameters) -> str:
    """Return a reference to a work in the text: `Linden|1996|p=6` is "Linden 1996, p. 6"."""
    authors, year, pages = _work(parameters)
    return f"{authors} {year}".strip() + (f", {pages}" if pages else "")


def harvard_text(_: str, parameters: Parameters) -> str:
    """Return a reference as part of a sentence: `Linden|1996` is "Linden (1996)"."""
    authors, year, pages = _work(parameters)
    inside = ", ".join(part for part in (year, pages) if part)
    return f"{authors} ({inside})" if inside else authors


def _work(parameters: Parameters) -> tuple[str, str, str]:
    *authors, year = positional(parameters) or [""]
    if not authors and not re.match(r"\d|n\.d", year):
        authors, year = [year], ""
    named = f"{authors[0]} et al." if len(authors) > 3 else ", ".join(authors[:-1]) + f" & {authors[-1]}"
    page, pages = parameters.get("p"), parameters.get("pp")
    place = f"p. {page}" if page else f"pp. {pages}" if pages else parameters.get("loc", "")
    return (named if len(authors) > 1 else "".join(authors)), year, place


def listed(_: str, parameters: Parameters) -> str:
    """Return the items of a list in one line."""
    return ", ".join(positional(parameters))


def keys(_: str, parameters: Parameters) -> str:
    """Return keys that are pressed together."""
    return "+".join(positional(parameters))


def _link(title: str, label: str = "") -> str:
    if not title or "[[" in title or "[[" in label:
        return label or title
    return f"[[{title}|{label}]]" if label and label != title else f"[[{title}]]"


RULES: dict[str, Rule] = {
    "age": numbers.age,
    "as of": numbers.as_of,
    "chemistry": numbers.chemistry,
    "convert": numbers.convert,
    "country": country,
    "cricket": _team("national cricket team"),
    "date": numbers.date,
    "death": numbers.death,
    "football": _team("national football team"),
    "formula": numbers.formula,
    "fraction": numbers.fraction,
    "harvard": harvard,
    "harvard text": harvard_text,
    "height": numbers.height,
    "interlanguage": interlanguage,
    "keys": keys,
    "language": language,
    "language text": language_text,
    "list": listed,
    "music": numbers.music,
    "named ship": named_ship,
    "nihongo": nihongo,
    "ordinal": numbers.ordinal,
    "person": person,
    "ship": ship,
    "ship class": ship_class,
    "submarine": submarine,
    "value": numbers.value,
    "womens football": _team("women's national football team"),
}
