"""Records of named fields, whatever the file they come from: `id`, `title` and `text`, and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import WrongRecord, rejected
from schemas import Document, Intake, content_hash
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import segment

ROLES = ("id", "title", "text")
_NAMED = 6  # fields that a reason names
_LONGEST_NAME = 30  # characters of a field in a reason


def read_record(fields: object, place: str, part: Part) -> Iterator[Intake]:
    """Yield the document of a record, or the dead letter that says which field is wrong.

    The fields are those that `part.columns` names, or `id`, `title` and `text`. A field may lie inside another:
    `article.abstract`. Without an id the content names the record, so that it stays the same in every run. A title
    that is none costs the title only.
    """
    id: str | None = None
    try:
        if not isinstance(fields, Mapping):
            raise WrongRecord(f"{kind_of(fields)} instead of an object with the fields {', '.join(ROLES)}", "no object")
        columns = dict(part.columns)
        id = _id(fields, columns.get("id", "id"))
        title = _value(fields, columns.get("title", "title"))
        if title is not None and (isinstance(title, bool) or not isinstance(title, str | int | float)):
            yield rejected(part.source, place, _wrong(columns.get("title", "title"), title), id)
            title = None
        text = clean(_text(fields, columns.get("text", "text")))
    except WrongRecord as error:
        yield rejected(part.source, place, error, id)
        return
    title = one_line(str(title or ""))
    tokens, sentences = segment(text)
    yield Document(
        id=id or f"record:{content_hash('record', title, text)}",
        source=part.source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        metadata=tuple(sorted(set(_metadata(fields, columns)))),
    )


def kind_of(value: object) -> str:
    """Return what a value is, in the words of JSON."""
    if value is None:
        return "null"
    kinds: dict[type, str] = {bool: "true or false", str: "a text", dict: "an object", list: "a list"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")


def _wrong(name: str, value: object) -> WrongRecord:
    return WrongRecord(f"the field {name!r} is {kind_of(value)}: it must be a text", f"{name} is {kind_of(value)}")


def _value(fields: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field, also of one inside others, or None."""
    if name in fields:
        return fields[name]
    first, dot, rest = name.partition(".")
    inner = fields.get(first)
    return _value(inner, rest) if dot and isinstance(inner, Mapping) else None


def _id(fields: Mapping[str, Any], name: str) -> str | None:
    id = _value(fields, name)
    if isinstance(id, float) and id.is_integer():
        id = int(id)
    if id is None or id == "":
        return None
    if isinstance(id, bool) or not isinstance(id, str | int):
        raise _wrong(name, id)
    return one_line(str(id)) or None


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = _value(fields, name)
    if isinstance(text, str):
        return text
    if text is not None or name in fields:
        raise _wrong(name, text)
    names = [one_line(str(field))[:_LONGEST_NAME] for field in fields]
    there = ", ".join(names[:_NAMED]) + (" ..." if len(names) > _NAMED else "") if names else "none"
    raise WrongRecord(
        f"there is no field {name!r} (there are: {there}): name the field of the text, as in --columns text=FIELD",
        f"no field {name}; there are: {there}",
    )


def _metadata(fields: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield simple fields that have no role; a role that is none of the three names a field anew."""
    used = {columns.get(role, role).partition(".")[0] for role in ROLES}
    for role, name in columns.items():
        if role not in ROLES and (value := _value(fields, name)) is not None and isinstance(value, str | int | float):
            yield clean(role), clean(str(value))
            used.add(name)
    for name, value in fields.items():
        if name not in used and isinstance(value, str | int | float):
            yield clean(str(name)), clean(str(value))
