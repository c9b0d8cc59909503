"""DocRED JSON: documents of words with entities and annotated facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MALFORMED, MISPLACED, UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.streams.compression import Damage, chunks
from pipeline.readers.streams.jsonstream import values
from schemas import Document, Entity, Fact, Intake, Mention, content_hash
from schemas.text.clean import clean, one_line


class _Mention(msgspec.Struct):
    pos: tuple[int, int]
    sent_id: int
    type: str


class _Label(msgspec.Struct):
    h: int
    t: int
    r: str
    evidence: list[int] = []


class _Record(msgspec.Struct):
    sents: list[list[str]]
    vertexSet: list[list[_Mention]] | None = None
    title: str = ""
    labels: list[_Label] = []


def read_docred(part: Part) -> Iterator[Intake]:
    """Yield the documents of a DocRED file: a JSON list, or one JSON object after the other."""
    source = part.source
    titles: Counter[str] = Counter()
    for item in values(chunks(Path(part.path))):
        if isinstance(item, Damage):
            yield letter(source, "JSON", UNREADABLE, item.message)
            continue
        place = f"document {item.number}"
        try:
            record = msgspec.convert(item.value, _Record)
        except msgspec.ValidationError as error:
            yield letter(source, place, MALFORMED, f"{error}: see DocRED's description of the fields")
            continue
        title = one_line(record.title)
        name = title or content_hash("docred", *(word for words in record.sents for word in words))
        titles[name] += 1
        id = f"docred:{name}" if titles[name] == 1 else f"docred:{name}#{titles[name]}"
        try:
            yield _document(record, id, title, source)
        except WrongRecord as error:
            yield rejected(source, place, error, id)


def _misplaced(message: str) -> WrongRecord:
    return WrongRecord(message, MISPLACED)


def _document(record: _Record, id: str, title: str, source: str) -> Document:
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
    entities = None if record.vertexSet is None else tuple(_entity(item, position) for item in record.vertexSet)
    return Document(
        id=id,
        source=source,
        title=title,
        text=" ".join(text),
        tokens=tuple(tokens),
        sentences=tuple(sentences),
        entities=entities,
        facts=_facts(record.labels, len(entities or ()), position),
    )


def _entity(items: list[_Mention], position: list[list[int]]) -> Entity:
    if not items:
        raise _misplaced("an entity has no mentions: give it one or leave it out")
    mentions = set()
    for item in items:
        start, end = item.pos
        where = f"the mention at words {start}:{end} of sentence {item.sent_id}"
        if not 0 <= item.sent_id < len(position):
            raise _misplaced(f"{where} is in none of the {len(position)} sentences")
        places = position[item.sent_id]
        if not 0 <= start < end < len(places):
            raise _misplaced(f"{where} leaves the sentence, which has {len(places) - 1} words")
        if places[start] == places[end]:
            raise _misplaced(f"{where} is blank")
        mentions.add((places[start], places[end], item.type))
    types = Counter(item.type for item in items)
    ordered = tuple(Mention(start, end, clean(type)) for start, end, type in sorted(mentions))
    # On a tie the type that comes first in the file counts.
    return Entity(mentions=ordered, type=clean(types.most_common(1)[0][0]))


def _facts(labels: list[_Label], entities: int, position: list[list[int]]) -> tuple[Fact, ...]:
    """Facts in ascending order; labels that stand there twice are one fact with the evidence of both."""
    # Sentences without a visible word are left out, so the numbers behind them move.
    number = []
    kept = 0
    for places in position:
        number.append(kept)
        kept += places[-1] > places[0]
    evidence: dict[tuple[int, str, int], set[int]] = {}
    for label in labels:
        for side in (label.h, label.t):
            if not 0 <= side < entities:
                raise _misplaced(f"the label {label.r} names entity {side}, but there are {entities}")
        found = evidence.setdefault((label.h, clean(label.r), label.t), set())
        for sentence in label.evidence:
            if not 0 <= sentence < len(position):
                raise _misplaced(
                    f"the label {label.r} has sentence {sentence} as evidence, but there are {len(position)}"
                )
            if position[sentence][-1] > position[sentence][0]:
                found.add(number[sentence])
    return tuple(Fact(h, r, t, evidence=tuple(sorted(found))) for (h, r, t), found in sorted(evidence.items()))
