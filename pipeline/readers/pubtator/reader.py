"""PubTator: title, abstract, mentions with concept ids, and relations between concepts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MISPLACED, UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.streams.compression import Damage, chunks
from pipeline.readers.streams.lines import Line, lines
from schemas import DeadLetter, Document, Entity, Fact, Intake, Mention, normalise_name
from schemas.text.clean import clean
from schemas.text.segmentation import align, segment

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_ID_SEPARATORS = re.compile(r"[|;,]")
_NO_ID = {"", "-", "-1"}
_VOCABULARIES = {"gene": "ncbigene", "species": "ncbitaxon", "chemical": "mesh", "disease": "mesh"}


class _Annotation(NamedTuple):
    start: int
    end: int
    text: str
    type: str
    ids: str


def read_pubtator(part: Part) -> Iterator[Intake]:
    """Yield the documents of a PubTator file; blank lines end a document."""
    source = part.source
    block: list[Line] = []
    last = 0
    for item in lines(chunks(Path(part.path))):
        if isinstance(item, Damage):
            yield letter(source, f"behind line {last}", UNREADABLE, item.message)
            block = []
        elif item.data.strip():
            last = item.number
            block.append(item)
        elif block:
            yield _read_block(block, source)
            block = []
    if block:
        yield _read_block(block, source)


def _read_block(block: list[Line], source: str) -> Document | DeadLetter:
    id = None
    try:
        texts: dict[str, str] = {}
        annotations: list[_Annotation] = []
        relations: list[tuple[str, str, str]] = []
        for line in block:
            text = clean(line.data.decode("utf-8-sig", "replace"))
            if match := _TEXT.match(text):
                id = f"pubtator:{match[1].strip()}"
                texts[match[2]] = match[3]
                continue
            fields = text.split("\t")
            if len(fields) >= 5 and fields[1].isdecimal() and fields[2].isdecimal():
                ids = fields[5].strip() if len(fields) > 5 else ""
                annotations.append(_Annotation(int(fields[1]), int(fields[2]), fields[3], fields[4].strip(), ids))
            elif len(fields) >= 4 and not fields[1].isdecimal():
                relations.append((fields[2].strip(), fields[1].strip(), fields[3].strip()))
            else:
                raise WrongRecord(f"line {line.number}: {text[:80]!r} is neither text, nor a mention, nor a relation")
        if id is None:
            raise WrongRecord("there is no title line `ID|t|TITLE`")
        return _document(id, source, texts.get("t", ""), texts.get("a", ""), annotations, relations)
    except WrongRecord as error:
        return rejected(source, f"line {block[0].number}", error, id)


def _document(
    id: str,
    source: str,
    title: str,
    abstract: str,
    annotations: list[_Annotation],
    relations: list[tuple[str, str, str]],
) -> Document:
    # Offsets in the format count one character between title and abstract.
    text = f"{title}\n{abstract}"
    for item in annotations:
        if not 0 <= item.start < item.end <= len(text) or text[item.start : item.end] != item.text:
            found = text[item.start : item.end]
            raise WrongRecord(
                f"the mention {item.text!r} should stand at {item.start}:{item.end}, where {found!r} stands"
            )
    spans = [(item.start, item.end) for item in annotations]
    tokens, sentences = segment(text, spans, breaks=(len(title) + 1,))
    clusters: dict[str, list[Mention]] = {}
    for item in annotations:
        span = align(tokens, item.start, item.end)
        if span is None:
            raise WrongRecord(f"the mention at {item.start}:{item.end} is blank", MISPLACED)
        if not any(first <= span[0] and span[1] <= last for first, last in sentences):
            raise WrongRecord(
                f"the mention {item.text!r} at {item.start}:{item.end} begins in the title and ends behind it"
            )
        names = [name for part in _ID_SEPARATORS.split(item.ids) if (name := part.strip()) not in _NO_ID]
        kb_ids = tuple(dict.fromkeys(_kb_id(name, item.type) for name in names))
        for key in dict.fromkeys(names) or [f"\t{normalise_name(item.text)}\t{item.type}"]:
            clusters.setdefault(key, []).append(Mention(*span, item.type, kb_ids))
    return Document(
        id=id,
        source=source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        entities=tuple(_entity(key, mentions) for key, mentions in clusters.items()) if annotations else None,
        facts=_facts(relations, {key: index for index, key in enumerate(clusters)}),
    )


def _entity(key: str, mentions: list[Mention]) -> Entity:
    type = Counter(mention.type or "" for mention in mentions).most_common(1)[0][0]
    ordered = sorted(set(mentions), key=lambda mention: (mention.start, mention.end, mention.type, mention.kb_ids))
    return Entity(mentions=tuple(ordered), type=type, kb_ids=() if key.startswith("\t") else (_kb_id(key, type),))


def _kb_id(id: str, type: str) -> str:
    """Return the id with its vocabulary: `mesh:D008094`, `ncbigene:4129`; a vocabulary in the file is kept."""
    vocabulary, colon, rest = id.partition(":")
    if colon:
        return f"{vocabulary.lower()}:{rest}"
    return f"{_VOCABULARIES.get(type.lower(), type.lower())}:{id}"


def _facts(relations: list[tuple[str, str, str]], index: dict[str, int]) -> tuple[Fact, ...]:
    facts = set()
    for head, relation, tail in relations:
        for side in (head, tail):
            if side not in index:
                raise WrongRecord(f"the relation {relation} names {side!r}, which no mention has as its id", MISPLACED)
        facts.add((index[head], relation, index[tail]))
    return tuple(Fact(*fact) for fact in sorted(facts))
