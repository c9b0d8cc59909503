"""An extractor of a few rules, so that the pipeline can be tested without a model: quick, and the same every time."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas import Document, Entity, Extraction, Fact, Mention, Relation, RelationSchema

SCHEMA = RelationSchema(
    name="rules",
    entity_types=("PLACE", "THING"),
    relations=(
        Relation(id="in", label="located in", iri="http://example.org/in"),
        Relation(id="with", label="named with", iri="http://example.org/with", symmetric=True),
    ),
)


@dataclass(frozen=True)
class RuleFeatures:
    """A document and its words; one piece a word."""

    document: Document
    words: tuple[str, ...]

    @property
    def pieces(self) -> int:
        return len(self.words)

    @property
    def pairs(self) -> int:
        return (len(self.words) // 8) ** 2


class RuleExtractor:
    """Runs of capitalised words are entities; two in a sentence are `with` each other, and `in` after "is in".

    Documents may carry spells in their text that make it fail, each as one word:
    - `Unpreparable`: `prepare` raises.
    - `Poison`: `extract` raises whenever the document is in the batch.
    - `Greedy`: `extract` runs out of memory unless the document is alone.
    - `Nan`: a fact has no number as its probability.
    """

    batch_cost = 100

    def featurize(self, document: Document) -> RuleFeatures:
        words = tuple(document.words())
        if "Unpreparable" in words:
            raise ValueError(f"'{document.id}' cannot be prepared")
        return RuleFeatures(document, words)

    def extract(self, batch: Sequence[RuleFeatures]) -> list[Extraction]:
        for item in batch:
            if "Poison" in item.words:
                raise RuntimeError("poisoned")
            if "Greedy" in item.words and len(batch) > 1:
                raise MemoryError
        return [extract(item) for item in batch]


def extract(item: RuleFeatures) -> Extraction:
    document = item.document
    entities = list(document.entities) if document.entities is not None else found_entities(item)
    entities.sort(key=lambda entity: entity.mentions[0].start)
    facts = {}
    for index, (first, last) in enumerate(document.sentences):
        named = sorted(
            (mention.start, mention.end, number)
            for number, entity in enumerate(entities)
            for mention in entity.mentions
            if first <= mention.start < last
        )
        for (_, end, head), (start, _, tail) in pairwise(named):
            relation = "in" if item.words[end:start] == ("is", "in") else "with"
            chance = zlib.crc32(f"{document.id} {head} {relation} {tail}".encode()) / 2**32
            if "Nan" in item.words:
                chance = float("nan")
            facts.setdefault((head, relation, tail), Fact(head, relation, tail, chance, (index,)))
    return Extraction(document.id, tuple(entities), tuple(facts[key] for key in sorted(facts)))


def found_entities(item: RuleFeatures) -> list[Entity]:
    given = {(mention.start, mention.end): mention for mention in item.document.mentions}
    clusters: dict[str, list[Mention]] = {}
    for first, last in item.document.sentences:
        start = first
        while start < last:
            end = start
            while end < last and item.words[end][:1].isupper():
                end += 1
            if end > start:
                name = " ".join(item.words[start:end])
                clusters.setdefault(name, []).append(given.get((start, end), Mention(start, end)))
            start = max(end, start + 1)
    return [
        Entity(
            tuple(mentions),
            "PLACE" if name.endswith(("land", "ton")) else "THING",
            tuple(sorted({id for mention in mentions for id in mention.kb_ids})),
        )
        for name, mentions in clusters.items()
    ]


@dataclass(frozen=True)
class RuleSource:
    """Where workers get the rules from."""

    def featurizer(self) -> RuleExtractor:
        return RuleExtractor()

    def extractor(self) -> RuleExtractor:
        return RuleExtractor()

    def one_per_machine(self) -> bool:
        return False

    def relation_schema(self) -> RelationSchema:
        return SCHEMA

    def finds_entities(self) -> bool:
        return True

    def identity(self) -> dict[str, str]:
        return {"model": "rules", "fingerprint": "0"}
