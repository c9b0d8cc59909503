"""GDA: tokenised abstracts with gene-disease pairs, 17 tab-separated columns a pair."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MISPLACED, UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage
from pipeline.readers.streams.encoding import utf8_chunks
from pipeline.readers.streams.lines import lines
from schemas import Document, Entity, Fact, Intake, Mention
from schemas.text.clean import clean

_COLUMNS = 17
_FIRST_LINE = re.compile(r"\d+\t[^\t\n]+\t\d+:\w+:\d+\t")
_VOCABULARIES = {"Gene": "ncbigene", "Disease": "mesh"}

Spans = tuple[tuple[int, int], ...]


def read_gda(part: Part) -> Iterator[Intake]:
    """Yield the documents of a GDA file, one a line: id, sentences, and 17 columns for every pair of entities.

    A pair or a mention that cannot be used costs itself only, and is a dead letter.
    """
    source = part.source
    last = 0
    for line in lines(utf8_chunks(Path(part.path))):
        if isinstance(line, Damage):
            yield letter(source, f"behind line {last}", UNREADABLE, line.message)
            continue
        last = line.number
        if not line.data.strip():
            continue
        fields = clean(line.data.decode("utf-8-sig", "replace")).split("\t")
        id = f"gda:{fields[0]}" if fields[0].isdecimal() else None
        flaws: list[WrongRecord] = []
        try:
            yield _document(fields, id, source, flaws)
        except WrongRecord as error:
            flaws.append(error)
        for flaw in flaws:
            yield rejected(source, f"line {line.number}", flaw, id)


def _document(fields: list[str], id: str | None, source: str, flaws: list[WrongRecord]) -> Document:
    if id is None:
        raise WrongRecord(f"the first column is {fields[0][:40]!r}, not a PubMed id", "id is no PubMed id")
    if len(fields) < 2:
        raise WrongRecord("there is no second column: it holds the sentences", "no sentences")
    if (len(fields) - 2) % _COLUMNS:
        message = f"{len(fields)} columns: there must be 2 and {_COLUMNS} more for every pair"
        flaws.append(WrongRecord(message, "wrong number of columns"))
    text, tokens, sentences = _tokens(fields[1])
    spans: dict[str, set[tuple[int, int]]] = {}
    types: dict[str, Counter[str]] = {}
    facts = set()
    for at in range(2, len(fields) - _COLUMNS + 1, _COLUMNS):
        pair = fields[at : at + _COLUMNS]
        relation = pair[0].split(":")
        if len(relation) != 3:
            flaws.append(
                WrongRecord(f"the pair {pair[0][:40]!r} is not NUMBER:RELATION:NUMBER", "pair is not readable")
            )
            continue
        for name, type, starts, ends in ((pair[5], *pair[7:10]), (pair[11], *pair[13:16])):
            if found := _spans(name, starts, ends, len(tokens), flaws):
                spans.setdefault(name, set()).update(found)
                types.setdefault(name, Counter())[type] += 1
        if relation[1] != "NR":
            facts.add((pair[5], relation[1], pair[11]))
    for fact in sorted(facts):
        if missing := [name for name in (fact[0], fact[2]) if name not in spans]:
            facts.remove(fact)
            flaws.append(
                WrongRecord(f"the fact {' '.join(fact)} has no mention of {missing[0]}", "fact without mention")
            )
    index = {name: at for at, name in enumerate(spans)}
    entities = []
    for name, places in spans.items():
        type = types[name].most_common(1)[0][0]
        kb_ids = (f"{_VOCABULARIES.get(type, type.lower())}:{name}",)
        mentions = tuple(Mention(start, end, type, kb_ids) for start, end in sorted(places))
        entities.append(Entity(mentions, type, kb_ids))
    return Document(
        id=id,
        source=source,
        title=text[: tokens[sentences[0][1] - 1][1]] if sentences else "",
        text=text,
        tokens=tokens,
        sentences=sentences,
        entities=tuple(entities),
        facts=tuple(
            sorted((Fact(index[h], r, index[t]) for h, r, t in facts), key=lambda f: (f.head, f.relation, f.tail))
        ),
    )


def _tokens(column: str) -> tuple[str, Spans, Spans]:
    """Words are separated by blanks and sentences by `|`; the first sentence is the title."""
    tokens: list[tuple[int, int]] = []
    sentences: list[tuple[int, int]] = []
    words: list[str] = []
    offset = 0
    for sentence in column.split("|"):
        first = len(tokens)
        for word in sentence.split():
            tokens.append((offset, offset + len(word)))
            words.append(word)
            offset += len(word) + 1
        if len(tokens) > first:
            sentences.append((first, len(tokens)))
    return " ".join(words), tuple(tokens), tuple(sentences)


def _spans(name: str, starts: str, ends: str, count: int, flaws: list[WrongRecord]) -> list[tuple[int, int]]:
    try:
        spans = list(zip(map(int, starts.split(":")), map(int, ends.split(":")), strict=True))
    except ValueError:
        message = f"entity {name}: starts {starts[:40]!r} and ends {ends[:40]!r} are not pairs of numbers"
        flaws.append(WrongRecord(message, "mentions are not readable"))
        return []
    found = []
    for start, end in spans:
        if 0 <= start < end <= count:
            found.append((start, end))
        else:
            message = f"entity {name}: the mention at words {start}:{end} leaves the {count} words of the text"
            flaws.append(WrongRecord(message, MISPLACED))
    return found


FORMAT = Format("gda", read_gda, lambda head: bool(_FIRST_LINE.match(head.text)))
