"""Merge the extractions of the passages of a document: an entity named in several of them is one entity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from extractors.inference.decoding import PassageFacts
from schemas import Document, Entity, Extraction, Fact, Mention, normalise_name


@dataclass
class _Draft:
    type: str
    kb_ids: set[str]
    mentions: list[Mention] = field(default_factory=list)


def assemble(document: Document, passages: Sequence[PassageFacts]) -> Extraction:
    """Return the extraction of a document from those of its passages; one with given entities is one passage at most.

    Entities of different passages are joined when they share a knowledge-base id, or a name (ignoring case) and the
    type, and no ids contradict it. Of several probabilities of one fact the highest is kept.
    """
    if document.entities is not None:
        return Extraction(document.id, document.entities, _sorted(f for p in passages for f in p.facts))
    drafts: list[_Draft] = []
    by_kb_id: dict[str, int] = {}
    by_name: dict[tuple[str, str], int] = {}
    facts: dict[tuple[int, str, int], Fact] = {}
    for passage in passages:
        numbers: list[int] = []
        # Inside a passage the model has decided already, so names are entered only after it.
        names: list[tuple[tuple[str, str], int]] = []
        for entity in passage.entities:
            keys = [(normalise_name(document.span_text(m.start, m.end)), entity.type) for m in entity.mentions]
            number = _match(entity, keys, drafts, by_kb_id, by_name)
            if number is None:
                number = len(drafts)
                drafts.append(_Draft(entity.type, set()))
            draft = drafts[number]
            draft.mentions.extend(entity.mentions)
            draft.kb_ids.update(entity.kb_ids)
            by_kb_id.update(dict.fromkeys(entity.kb_ids, number))
            names.extend((key, number) for key in keys)
            numbers.append(number)
        for key, number in names:
            by_name.setdefault(key, number)
        for fact in passage.facts:
            moved = Fact(numbers[fact.head], fact.relation, numbers[fact.tail], fact.probability, fact.evidence)
            key3 = (moved.head, moved.relation, moved.tail)
            if moved.head != moved.tail and (key3 not in facts or facts[key3].probability < moved.probability):
                facts[key3] = moved
    order = sorted(range(len(drafts)), key=lambda i: min((m.start, m.end) for m in drafts[i].mentions))
    place = {number: position for position, number in enumerate(order)}
    entities = tuple(
        Entity(
            tuple(sorted(drafts[i].mentions, key=lambda m: (m.start, m.end, m.kb_ids))),
            drafts[i].type,
            tuple(sorted(drafts[i].kb_ids)),
        )
        for i in order
    )
    moved_facts = (Fact(place[f.head], f.relation, place[f.tail], f.probability, f.evidence) for f in facts.values())
    return Extraction(document.id, entities, _sorted(moved_facts))


def _match(
    entity: Entity,
    keys: Sequence[tuple[str, str]],
    drafts: Sequence[_Draft],
    by_kb_id: dict[str, int],
    by_name: dict[tuple[str, str], int],
) -> int | None:
    for kb_id in entity.kb_ids:
        if kb_id in by_kb_id:
            return by_kb_id[kb_id]
    for key in sorted(keys, key=lambda key: (-len(key[0]), key)):
        number = by_name.get(key)
        if number is not None and not (entity.kb_ids and drafts[number].kb_ids):
            return number
    return None


def _sorted(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    return tuple(sorted(facts, key=lambda fact: (fact.head, fact.relation, fact.tail)))
