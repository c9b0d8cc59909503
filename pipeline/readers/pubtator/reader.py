"""PubTator: title, abstract, mentions with concept ids, and relations between concepts."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.readers.part import Part
from pipeline.readers.pubtator.concept_ids import Concept, concepts
from pipeline.readers.pubtator.offsets import in_characters
from pipeline.readers.reader_errors import MALFORMED, MISPLACED, UNREADABLE, letter
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage
from pipeline.readers.streams.encoding import utf8_chunks
from pipeline.readers.streams.lines import lines
from schemas import Document, Entity, Fact, Intake, Mention, normalise_name
from schemas.text.clean import clean
from schemas.text.segmentation import align, segment

_TEXT = re.compile(r"([^|\t]+)\|([A-Za-z]\w{0,14})\|(.*)", re.DOTALL)
_BLANKS = re.compile(r"\s{2,}")
_FIRST_LINES = re.compile(r"(?:\s*#[^\n]*\n|\s+)*[^|\t\n]+\|[ta]\|")
_NO_ABSTRACT = "-No abstract-"
NO_MENTION = "relation names no mention"
STRAY = "annotation of another record"


class _Annotation(NamedTuple):
    line: int
    start: int
    end: int
    text: str
    type: str
    ids: str


class _Relation(NamedTuple):
    line: int
    head: str
    type: str
    tail: str


@dataclass
class _Record:
    """The lines of one record; `flaws` are (line, reason, detail) of lines that are left out."""

    id: str
    line: int
    texts: dict[str, str] = field(default_factory=dict)
    annotations: list[_Annotation] = field(default_factory=list)
    relations: list[_Relation] = field(default_factory=list)
    flaws: list[tuple[int, str, str]] = field(default_factory=list)


def read_pubtator(part: Part) -> Iterator[Intake]:
    """Yield the documents of a PubTator file.

    A record begins with its title, so blank lines between records do not matter. A mention or relation that cannot be
    used costs itself only, and is a dead letter.
    """
    source = part.source
    record: _Record | None = None
    stray: list[tuple[int, str]] = []
    last = 0
    for item in lines(utf8_chunks(Path(part.path))):
        if isinstance(item, Damage):
            yield letter(source, f"behind line {last}", UNREADABLE, item.message)
            record = None  # its other half is gone
            continue
        last = item.number
        text = clean(item.data.decode("utf-8-sig", "replace"))
        if not text.strip() or (record is None and text.lstrip().startswith("#")):
            continue
        match = _TEXT.match(text)
        if match and _begins(match, record):
            yield from _strays(stray, source)
            stray = []
            if record:
                yield from _finish(record, source)
            record = _Record(match[1].strip(), item.number)
        if record is None or not _add(record, text, match, item.number):
            stray.append((item.number, text))
    yield from _strays(stray, source)
    if record:
        yield from _finish(record, source)


def _begins(match: re.Match[str], record: _Record | None) -> bool:
    """Tell whether a line of text is the first one of a record."""
    kind = match[2]
    if record is None or record.id != match[1].strip():
        return kind in ("t", "a")
    return kind in ("t", "a") and (kind in record.texts or bool(record.annotations or record.relations))


def _add(record: _Record, text: str, match: re.Match[str] | None, number: int) -> bool:
    """Add a line to a record; False if it belongs to another."""
    if match and match[1].strip() == record.id:
        record.texts[match[2]] = "\n".join(filter(None, (record.texts.get(match[2]), match[3])))
        return True
    if match and any(character.isdigit() for character in match[1]):
        return False
    fields = text.split("\t") if "\t" in text else _BLANKS.split(text)
    if len(fields) >= 4 and fields[0].strip() != record.id:
        return False
    if len(fields) >= 5 and _is_number(fields[1]) and _is_number(fields[2]):
        ids = fields[5].strip() if len(fields) > 5 else ""
        record.annotations.append(
            _Annotation(number, int(fields[1]), int(fields[2]), fields[3], fields[4].strip(), ids)
        )
    elif len(fields) >= 4 and not _is_number(fields[1]):
        record.relations.append(_Relation(number, fields[2].strip(), fields[1].strip(), fields[3].strip()))
    elif record.texts and not record.annotations and not record.relations and len(fields) == 1:
        kind = list(record.texts)[-1]  # a text with a line break in it
        record.texts[kind] += f"\n{text}"
    else:
        detail = f"{text[:80]!r} is neither text, nor a mention, nor a relation"
        record.flaws.append((number, "line that PubTator does not know", detail))
    return True


def _is_number(field: str) -> bool:
    return field.isdecimal() or field.strip().removeprefix("-").isdecimal()


def _strays(stray: list[tuple[int, str]], source: str) -> Iterator[Intake]:
    """Yield dead letters for lines of which no record is there, one for every run of lines of one id."""
    runs: dict[str, list[int]] = {}
    for number, text in stray:
        runs.setdefault(text.partition("\t")[0].strip()[:40] if "\t" in text else "", []).append(number)
    for id, numbers in runs.items():
        place = f"line {numbers[0]}" if len(numbers) == 1 else f"lines {numbers[0]} to {numbers[-1]}"
        detail = (
            f"{len(numbers)} annotations of {id!r} stand where no record of that id is: put them behind its title line"
            if id
            else "text that belongs to no record: a record begins with its title line `ID|t|TITLE`"
        )
        yield letter(source, place, STRAY if id else MALFORMED, detail, f"pubtator:{id}" if id else None)


def _finish(record: _Record, source: str) -> Iterator[Intake]:
    """Yield the document of a record and dead letters for what of it cannot be used."""
    id = f"pubtator:{record.id}"
    # Offsets in the format count one character between the texts.
    title = record.texts.get("t", "")
    others = [text for kind, text in record.texts.items() if kind not in ("t", "a")]
    abstract = record.texts.get("a", "")
    texts = [title, "" if abstract.strip() == _NO_ABSTRACT else abstract, *others]
    text = "\n".join(texts)
    starts = [len("\n".join(texts[:number])) + 1 for number in range(1, len(texts))]
    spans = in_characters(text, [(item.start, item.end, item.text) for item in record.annotations])
    placed = []
    for item, found in zip(record.annotations, spans, strict=True):
        if found is None:
            there = text[max(item.start, 0) : max(item.end, 0)][:80]
            detail = f"the mention {item.text[:80]!r} should be at {item.start}:{item.end}, where {there!r} is"
            record.flaws.append((item.line, MISPLACED, f"{detail}: correct the offsets"))
        elif bisect_right(starts, found[0]) != bisect_left(starts, found[1]):
            detail = f"the mention {item.text[:80]!r} begins in the title and ends behind it"
            record.flaws.append((item.line, MISPLACED, f"{detail}: cut it in two"))
        else:
            placed.append((item, found))
    tokens, sentences = segment(text, [(start, end) for _, (start, end, _) in placed], breaks=starts)
    clusters: dict[str, list[Mention]] = {}
    others_of: dict[str, dict[str, None]] = {}
    names: dict[str, str] = {}  # what relations may call a cluster
    details: set[tuple[str, str]] = set()
    for item, (start, end, _) in placed:
        span = align(tokens, start, end)
        if span is None:
            record.flaws.append((item.line, MISPLACED, f"the mention at {item.start}:{item.end} is blank"))
            continue
        found_concepts = concepts(item.ids, item.type)
        kb_ids = tuple(dict.fromkeys(id for concept in found_concepts for id in (concept.id, *concept.others)))
        for concept in found_concepts or (Concept(f"\t{normalise_name(item.text)}\t{item.type}"),):
            mention = Mention(*span, item.type, kb_ids)
            if concept.id in clusters:
                clusters[concept.id].append(mention)
            else:
                clusters[concept.id] = [mention]
                names.setdefault(concept.id.lower(), concept.id)
                names.setdefault(concept.id.partition(":")[2].lower(), concept.id)
            if concept.others:
                others_of.setdefault(concept.id, {}).update(dict.fromkeys(concept.others))
                for other in concept.others:
                    names.setdefault(other.lower(), concept.id)
            if concept.details:
                details.add(("variant", f"{concept.id};{concept.details}"))
    yield Document(
        id=id,
        source=source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        entities=tuple(_entity(key, mentions, others_of.get(key, ())) for key, mentions in clusters.items()) or None,
        facts=_facts(record, {key: index for index, key in enumerate(clusters)}, names),
        metadata=tuple(sorted(details)),
    )
    for line, reason, detail in record.flaws:
        yield letter(source, f"line {line}", reason, detail, id)


def _entity(key: str, mentions: list[Mention], others: Iterable[str]) -> Entity:
    type = Counter(mention.type or "" for mention in mentions).most_common(1)[0][0]
    ordered = sorted(set(mentions), key=lambda mention: (mention.start, mention.end, mention.type, mention.kb_ids))
    return Entity(mentions=tuple(ordered), type=type, kb_ids=() if key.startswith("\t") else (key, *others))


def _facts(record: _Record, index: dict[str, int], names: dict[str, str]) -> tuple[Fact, ...]:
    """Return the facts of the relations; one that names several ids together holds for each of them."""
    facts: set[tuple[int, str, int]] = set()
    for relation in record.relations:
        sides = []
        for side in (relation.head, relation.tail):
            keys = _named(side, names)
            if not keys:
                detail = f"the relation {relation.type} names {side[:80]!r}, which no mention has as its id"
                record.flaws.append((relation.line, NO_MENTION, f"{detail}: give a mention the id or leave it out"))
                break
            sides.append(keys)
        else:
            facts.update((index[head], relation.type, index[tail]) for head in sides[0] for tail in sides[1])
    return tuple(Fact(*fact) for fact in sorted(facts))


def _named(side: str, names: dict[str, str]) -> list[str]:
    """Return the clusters that one side of a relation names: `D008094`, `MESH:D008094` or `Chemical|MESH:D008094`."""
    type, bar, id = side.partition("|")
    typed = [(id, type)] if bar and type.isalpha() and len(type) > 1 else []
    for name, kind in ((side, ""), *typed):
        if found := names.get(name.lower()):
            return [found]
        wanted = [concept.id for concept in concepts(name, kind)]
        keys = [names.get(form.lower()) or names.get(form.partition(":")[2].lower()) for form in wanted]
        if keys and None not in keys:
            return [key for key in keys if key]
    return []


FORMAT = Format("pubtator", read_pubtator, lambda head: bool(_FIRST_LINES.match(head.text)))
