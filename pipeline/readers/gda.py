"""GDA: tokenised abstracts with gene-disease pairs, 17 tab-separated columns a pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MISPLACED, UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.streams.compression import Damage, chunks
from pipeline.readers.streams.lines import lines
from schemas import Document, Entity, Fact, Intake, Mention
from schemas.text.clean import clean

_COLUMNS = 17
_VOCABULARIES = {"Gene": "ncbigene", "Disease": "mesh"}

Spans = tuple[tuple[int, int], ...]


def read_gda(part: Part) -> Iterator[Intake]:
    """Yield the documents of a GDA file, one a line: id, sentences, and 17 columns for every pair of entities."""
    source = part.source
    last = 0
    for line in lines(chunks(Path(part.path))):
        if isinstance(line, Damage):
            yield letter(source, f"behind line {last}", UNREADABLE, line.message)
            continue
        last = line.number
        if not line.data.strip():
            continue
        fields = clean(line.data.decode("utf-8-sig", "replace")).split("\t")
        id = f"gda:{fields[0]}" if fields[0].isdecimal() else None
        try:
            yield _document(fields, id, source)
        except WrongRecord as error:
            yield rejected(source, f"line {line.number}", error, id)


def _document(fields: list[str], id: str | None, source: str) -> Document:
    if id is None:
        raise WrongRecord(f"the first column is {fields[0][:40]!r}, not a PubMed id")
    if len(fields) < 2 or (len(fields) - 2) % _COLUMNS:
        raise WrongRecord(f"{len(fields)} columns: there must be 2 and {_COLUMNS} more for every pair")
    text, tokens, sentences = _tokens(fields[1])
    spans: dict[str, set[tuple[int, int]]] = {}
    types: dict[str, Counter[str]] = {}
    facts = set()
    for at in range(2, len(fields), _COLUMNS):
        pair = fields[at : at + _COLUMNS]
        relation = pair[0].split(":")
        if len(relation) != 3:
            raise WrongRecord(f"the pair {pair[0][:40]!r} is not NUMBER:RELATION:NUMBER")
        for name, type, starts, ends in ((pair[5], *pair[7:10]), (pair[11], *pair[13:16])):
            spans.setdefault(name, set()).update(_spans(name, starts, ends, len(tokens)))
            types.setdefault(name, Counter())[type] += 1
        if relation[1] != "NR":
            facts.add((pair[5], relation[1], pair[11]))
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


def _spans(name: str, starts: str, ends: str, count: int) -> Iterator[tuple[int, int]]:
    try:
        spans = list(zip(map(int, starts.split(":")), map(int, ends.split(":")), strict=True))
    except ValueError:
        raise WrongRecord(
            f"entity {name}: starts {starts[:40]!r} and ends {ends[:40]!r} are not pairs of numbers"
        ) from None
    for start, end in spans:
        if not 0 <= start < end <= count:
            raise WrongRecord(
                f"entity {name}: the mention at words {start}:{end} leaves the {count} words of the text", MISPLACED
            )
        yield start, end
