"""DocRED JSON: documents of words with entities and annotated facts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline.readers.label_quality import label_probability
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MALFORMED, MISPLACED, UNREADABLE, letter
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage
from pipeline.readers.streams.encoding import utf8_chunks
from pipeline.readers.streams.jsonstream import values
from schemas import Document, Entity, Fact, Intake, Mention, content_hash
from schemas.text.clean import clean, one_line

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_KEYS = re.compile(r'"(?:sents|vertexSet)"\s*:')


class _Mention(msgspec.Struct):
    pos: tuple[int, int]
    sent_id: int
    type: str


class _Label(msgspec.Struct):
    h: int
    t: int
    r: str
    evidence: list[int] | None = None
    ndoc: int | None = None
    docunet: int | None = None
    emiya: int | None = None


class _Record(msgspec.Struct):
    sents: list[list[str]]
    vertexSet: list[list[_Mention]] | None = None
    title: str | None = ""
    labels: list[_Label] | None = None


Flaw = tuple[str, str]  # reason and detail of something in a record that is left out


def read_docred(part: Part) -> Iterator[Intake]:
    """Yield the documents of a DocRED file: a JSON list, or one JSON object after the other.

    A mention, an entity or a label that cannot be used costs itself only, and is a dead letter.
    """
    source = part.source
    titles: Counter[str] = Counter()
    for item in values(utf8_chunks(Path(part.path))):
        if isinstance(item, Damage):
            yield letter(source, "JSON", UNREADABLE, item.message)
            continue
        place = f"document {item.number}"
        flaws: list[Flaw] = []
        try:
            record = _converted(item.value, flaws)
        except msgspec.ValidationError as error:
            yield letter(source, place, MALFORMED, f"{error}: see DocRED's description of the fields")
            continue
        title = one_line(record.title or "")
        name = title or content_hash("docred", *(word for words in record.sents for word in words))
        titles[name] += 1
        id = f"docred:{name}" if titles[name] == 1 else f"docred:{name}#{titles[name]}"
        yield _document(record, id, title, source, flaws)
        for reason, detail in flaws:
            yield letter(source, place, reason, detail, id)


def _converted(value: Any, flaws: list[Flaw]) -> _Record:
    """Return a record without those of its mentions and labels that break the format.

    Raises:
        msgspec.ValidationError: there are no sentences.
    """
    try:
        return msgspec.convert(value, _Record)
    except msgspec.ValidationError:
        if not isinstance(value, dict):
            raise
    record = msgspec.convert({"sents": value.get("sents")}, _Record)
    title = value.get("title")
    if isinstance(title, str | int | float):
        record.title = str(title)
    entities = _list(value, "vertexSet", flaws)
    if entities is not None:
        # An entity that is no list keeps its place, so that the numbers in the labels stay right.
        record.vertexSet = [
            _each(_Mention, entity if isinstance(entity, list) else [entity], f"entity {number}", flaws)
            for number, entity in enumerate(entities)
        ]
    record.labels = _each(_Label, _list(value, "labels", flaws) or [], "labels", flaws)
    return record


def _list(value: dict[str, Any], name: str, flaws: list[Flaw]) -> list[Any] | None:
    items = value.get(name)
    if items is None or isinstance(items, list):
        return items
    flaws.append((f"{name} is no list", f"{name} is {type(items).__name__}: it must be a list"))
    return None


def _each(kind: type[_Struct], items: list[Any], where: str, flaws: list[Flaw]) -> list[_Struct]:
    found = []
    for number, item in enumerate(items):
        try:
            found.append(msgspec.convert(item, kind))
        except msgspec.ValidationError as error:
            flaws.append((f"{kind.__name__[1:].lower()} breaks the format", f"{where}, item {number}: {error}"))
    return found


def _document(record: _Record, id: str, title: str, source: str, flaws: list[Flaw]) -> Document:
    """Words joined by blanks; words without a visible character are left out and positions are moved accordingly."""
    text: list[str] = []
    tokens: list[tuple[int, int]] = []
    sentences: list[tuple[int, int]] = []
    # position[s][w]: tokens before word w of sentence s; one entry more than there are words
    position: list[list[int]] = []
    offset = 0
    for words in record.sents:
        first = len(tokens)
        places: list[int] = []
        for raw in words:
            places.append(len(tokens))
            if word := clean(raw).strip():
                tokens.append((offset, offset + len(word)))
                text.append(word)
                offset += len(word) + 1
        position.append([*places, len(tokens)])
        if len(tokens) > first:
            sentences.append((first, len(tokens)))
    entities, numbers = _entities(record.vertexSet or [], position, flaws)
    return Document(
        id=id,
        source=source,
        title=title,
        text=" ".join(text),
        tokens=tuple(tokens),
        sentences=tuple(sentences),
        entities=None if record.vertexSet is None else entities,
        facts=_facts(record.labels or [], numbers, position, flaws),
    )


def _entities(
    items: list[list[_Mention]], position: list[list[int]], flaws: list[Flaw]
) -> tuple[tuple[Entity, ...], list[int | None]]:
    """Return the entities that have a mention, and what number each one of the file has among them."""
    found: list[Entity] = []
    numbers: list[int | None] = []
    for number, mentions in enumerate(items):
        entity = _entity(number, mentions, position, flaws)
        numbers.append(None if entity is None else len(found))
        if entity is not None:
            found.append(entity)
    return tuple(found), numbers


def _entity(number: int, items: list[_Mention], position: list[list[int]], flaws: list[Flaw]) -> Entity | None:
    mentions: dict[tuple[int, int, str], None] = {}
    types: Counter[str] = Counter()
    for item in items:
        start, end = item.pos
        places = position[item.sent_id] if 0 <= item.sent_id < len(position) else None
        if places is None:
            problem = f"is in none of the {len(position)} sentences"
        elif not 0 <= start < end < len(places):
            problem = f"leaves the sentence, which has {len(places) - 1} words"
        elif places[start] == places[end]:
            problem = "is blank"
        else:
            mentions[places[start], places[end], item.type] = None
            types[item.type] += 1
            continue
        where = f"the mention of entity {number} at words {start}:{end} of sentence {item.sent_id}"
        flaws.append((MISPLACED, f"{where} {problem}"))
    if not mentions:
        named = any(detail.startswith(f"entity {number},") for _, detail in flaws)
        if not items and not named:
            flaws.append((MISPLACED, f"entity {number} has no mentions: give it one or leave it out"))
        return None
    ordered = tuple(Mention(start, end, clean(type)) for start, end, type in sorted(mentions))
    # On a tie the type that comes first in the file counts.
    return Entity(mentions=ordered, type=clean(types.most_common(1)[0][0]))


def _facts(
    labels: list[_Label], numbers: list[int | None], position: list[list[int]], flaws: list[Flaw]
) -> tuple[Fact, ...]:
    """Return facts in ascending order; labels that the file repeats are one fact with the evidence of both."""
    # Sentences without a visible word are left out, so the numbers behind them move.
    number = []
    kept = 0
    for places in position:
        number.append(kept)
        kept += places[-1] > places[0]
    evidence: dict[tuple[int, str, int], set[int]] = {}
    probability: dict[tuple[int, str, int], float] = {}
    for label in labels:
        head, tail = (numbers[side] if 0 <= side < len(numbers) else None for side in (label.h, label.t))
        if head is None or tail is None:
            side = label.h if head is None else label.t
            there = f"of {len(numbers)}" if 0 <= side < len(numbers) else f"but there are {len(numbers)}"
            flaws.append(("label names no entity", f"the label {label.r} names entity {side}, {there}"))
            continue
        fact = (head, clean(label.r), tail)
        try:
            certainty = label_probability(label.ndoc, label.docunet, label.emiya)
        except ValueError as error:
            detail = f"the label {label.r} of entities {label.h} and {label.t}: {error}"
            flaws.append(("label with an impossible origin", detail))
            continue
        probability[fact] = max(certainty, probability.get(fact, 0.0))
        found = evidence.setdefault(fact, set())
        for sentence in label.evidence or []:
            if not 0 <= sentence < len(position):
                detail = f"the label {label.r} has sentence {sentence} as evidence, but there are {len(position)}"
                flaws.append(("evidence names no sentence", detail))
            elif position[sentence][-1] > position[sentence][0]:
                found.add(number[sentence])
    return tuple(
        Fact(h, r, t, probability[h, r, t], tuple(sorted(found))) for (h, r, t), found in sorted(evidence.items())
    )


FORMAT = Format("docred", read_docred, lambda head: head.text.startswith(("[", "{")) and bool(_KEYS.search(head.text)))
