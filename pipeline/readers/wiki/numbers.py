"""Templates of numbers, units, dates and formulas: the words that they show."""

from __future__ import annotations

import re
from collections.abc import Mapping

Parameters = Mapping[str, str]

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_RANGE_WORDS = {
    "to": "to", "-": "–", "–": "–", "and": "and", "or": "or", "x": "×", "×": "×", "by": "by", "&": "and", "to(-)": "to",
    "+/-": "±", "±": "±", "and(-)": "and", "xx": "×", "to about": "to about", "or(-)": "or",
}  # fmt: skip
_UNITS = {
    "m2": "m²", "m3": "m³", "km2": "km²", "cm2": "cm²", "mm2": "mm²", "cm3": "cm³", "km3": "km³", "sqmi": "sq mi",
    "sqft": "sq ft", "sqkm": "km²", "sqyd": "sq yd", "sqm": "m²", "cuft": "cu ft", "cumi": "cu mi", "C": "°C",
    "F": "°F", "C-change": "°C", "F-change": "°F", "foot": "ft", "feet": "ft", "inch": "in", "mile": "mi",
    "miles": "mi", "usgal": "US gal", "impgal": "imp gal", "PD/sqkm": "/km²", "/km2": "/km²", "/sqmi": "/sq mi",
    "mph": "mph", "m3/s": "m³/s", "cuft/s": "cu ft/s", "g/cm3": "g/cm³", "kg/m3": "kg/m³", "acre.ft": "acre-ft",
    "shton": "short tons", "LT": "long tons", "ST": "short tons", "MT": "t", "kn": "kn", "nmi": "nmi", "oC": "°C",
    "oF": "°F",
}  # fmt: skip
_NUMBER = re.compile(r"[-−–+]?(?:\d[\d,.  ]*|\.\d+)(?:(?:\+|\s|-)?\d+/+\d+)?(?:e[+-]?\d+)?")
_MUSIC = {
    "flat": "♭",
    "b": "♭",
    "sharp": "♯",
    "#": "♯",
    "natural": "♮",
    "n": "♮",
    "doubleflat": "𝄫",
    "doublesharp": "𝄪",
}
_CHARGE = re.compile(r"\((\d*)([+−-])\)")


def convert(_: str, parameters: Parameters) -> str:
    """Return a measure as it is written, without its conversion: `5|to|8|km|mi` is "5 to 8 km"."""
    items = positional(parameters)
    if not items:
        return ""
    shown = [items[0].replace("+", " ", 1) if "/" in items[0] else items[0]]
    at = 1
    while at + 1 < len(items) and items[at] in _RANGE_WORDS:
        shown += [_RANGE_WORDS[items[at]], items[at + 1]]
        at += 2
    if at < len(items):
        shown.append(_UNITS.get(items[at], items[at]))
        at += 1
    while at + 1 < len(items) and _NUMBER.fullmatch(items[at]) and not _NUMBER.fullmatch(items[at + 1]):
        shown += [items[at], _UNITS.get(items[at + 1], items[at + 1])]
        at += 2
    return " ".join(shown).replace(" – ", "–").replace(" /", "/")


def value(_: str, parameters: Parameters) -> str:
    """Return a value with its uncertainty, power of ten and unit: `879.6|0.8|u=s` is "879.6±0.8 s"."""
    items = positional(parameters)
    shown = parameters.get("p", "") + (items[0] if items else "")
    if len(items) == 2:
        shown += f"±{items[1]}"
    elif len(items) > 2:
        shown += f"+{items[1].lstrip('+')}−{items[2].lstrip('-−')}"
    if exponent := parameters.get("e"):
        shown += f"×10^{exponent}"
    unit = parameters.get("u") or parameters.get("ul") or ""
    per = parameters.get("up") or parameters.get("upl") or ""
    unit = "/".join(_UNITS.get(part, part) for part in (unit, per) if part)
    if unit:
        shown += unit if unit in ("%", "°") else f" {unit}"
    return shown + parameters.get("s", "")


def fraction(_: str, parameters: Parameters) -> str:
    """Return a fraction: `2` is "1/2", `1|2` is "1/2", `3|1|2` is "3 1/2"."""
    items = positional(parameters)
    if len(items) == 1:
        return f"1/{items[0]}"
    if len(items) == 2:
        return f"{items[0]}/{items[1]}"
    return f"{items[0]} {items[1]}/{items[2]}" if items else ""


def height(_: str, parameters: Parameters) -> str:
    """Return a height: `ft=6|in=2` is "6 ft 2 in"."""
    return " ".join(f"{parameters[unit]} {unit}" for unit in ("m", "cm", "ft", "in") if parameters.get(unit))


def ordinal(_: str, parameters: Parameters) -> str:
    """Return an ordinal number: `3` is "3rd"."""
    number = parameters.get("1", "")
    if not number.isdecimal():
        return number
    ending = "th" if number[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ending


def music(_: str, parameters: Parameters) -> str:
    """Return a sign of musical notation, such as that of `flat`."""
    if parameters.get("1") == "time":
        return "/".join(positional(parameters)[1:])
    return _MUSIC.get(parameters.get("1", ""), "")


def date(_: str, parameters: Parameters) -> str:
    """Return a date: `1901|4|3` is "April 3, 1901", and "3 April 1901" with `df=y`."""
    items = positional(parameters)
    if items and (match := re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", items[0])):
        items = list(match.groups())
    if not items or not items[0].lstrip("-").isdecimal():
        return items[0] if items else ""
    return _date(items[:3], day_first=_is_set(parameters, "df"))


def death(_: str, parameters: Parameters) -> str:
    """Return a date of death with the age: `1990|5|2|1900|4|3` is "May 2, 1990 (aged 90)"."""
    items = positional(parameters)
    shown = date(_, {str(at): item for at, item in enumerate(items[:3], 1)} | _named(parameters))
    years = _years(items[3:6], items[:3])
    return f"{shown} (aged {years})" if years else shown


def age(_: str, parameters: Parameters) -> str:
    """Return the years between two dates; an age of today is not known."""
    items = positional(parameters)
    return _years(items[:3], items[3:6])


def as_of(_: str, parameters: Parameters) -> str:
    """Return "As of" with a year, a month or a date."""
    begin = "since" if _is_set(parameters, "since") else "as of"
    if parameters.get("pre"):
        begin = f"as of {parameters['pre']}"
    begin = begin if _is_set(parameters, "lc") else begin[:1].upper() + begin[1:]
    us = parameters.get("df", "").upper() == "US"
    return f"{begin} {_date(positional(parameters)[:3], day_first=not us)}"


def chemistry(_: str, parameters: Parameters) -> str:
    """Return a formula from its parts: `H|2|O` is "H2O", `SO|4|2-` is "SO4^2-"."""
    shown = ""
    for part in positional(parameters, empty=True):
        raised = shown[-1:].isdigit() and re.fullmatch(r"\d+[+−-]", part)
        shown += f"^{part}" if raised else part
    return shown


def formula(_: str, parameters: Parameters) -> str:
    """Return a formula in one text: `SO4(2-)` is "SO4^2-"."""
    return _CHARGE.sub(lambda match: f"^{match[1]}{match[2]}" if match[1] else match[2], parameters.get("1", ""))


def positional(parameters: Parameters, empty: bool = False) -> list[str]:
    """Return the parameters without names in order, the empty ones left out unless asked for."""
    found: list[str] = []
    while (text := parameters.get(str(len(found) + 1))) is not None:
        found.append(text)
    return found if empty else [text for text in found if text]


def _named(parameters: Parameters) -> dict[str, str]:
    return {name: text for name, text in parameters.items() if not name.isdecimal()}


def _is_set(parameters: Parameters, name: str) -> bool:
    return parameters.get(name, "").lower() in ("y", "yes", "true", "1", "on", "dmy")


def _date(items: list[str], day_first: bool) -> str:
    year, month, day = (*items, "", "", "")[:3]
    if month.isdecimal() and 1 <= int(month) <= 12:
        month = _MONTHS[int(month) - 1]
    day = day.lstrip("0")
    if not month:
        return year
    if not day:
        return f"{month} {year}"
    return f"{day} {month} {year}" if day_first else f"{month} {day}, {year}"


def _years(first: list[str], last: list[str]) -> str:
    """Return the full years between two dates of year, month and day."""
    if len(first) < 3 or len(last) < 3 or not all(item.isdecimal() for item in (*first, *last)):
        return ""
    begin, end = tuple(map(int, first)), tuple(map(int, last))
    return str(end[0] - begin[0] - (end[1:] < begin[1:]))
