"""What an extractor finds in a text: entities and facts as objects with names, labels, texts and character offsets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from factmill.wording import counted
from schemas import Document, Entity, Extraction, Relation, RelationSchema


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of the text: `result.text[start:end] == text`."""

    start: int
    end: int
    text: str

    def __repr__(self) -> str:
        return f"Span({self.text!r}, {self.start}:{self.end})"


@dataclass(frozen=True, slots=True)
class ExtractedEntity:
    """An entity of one text.

    Attributes:
        name: its longest mention, the first of several of one length.
        type: entity type of the relation schema, for example `PER`.
        mentions: where the text names it, in the order of the text.
        kb_ids: knowledge-base ids that the document gives for it.
    """

    name: str
    type: str
    mentions: tuple[Span, ...]
    kb_ids: tuple[str, ...] = ()

    def __repr__(self) -> str:
        places = ", ".join(f"{span.start}:{span.end}" for span in self.mentions)
        return f"ExtractedEntity({self.name!r}, {self.type}, at {places})"


@dataclass(frozen=True, slots=True)
class ExtractedFact:
    """A fact that the text states.

    Attributes:
        head, tail: the entities that are related.
        relation: the relation, with `id`, `label`, `iri` and `description`.
        probability: calibrated probability that the text states the fact.
        evidence: sentences that support it, in the order of the text.
    """

    head: ExtractedEntity
    relation: Relation
    tail: ExtractedEntity
    probability: float
    evidence: tuple[Span, ...]

    def __repr__(self) -> str:
        return f"ExtractedFact({self}, probability={self.probability})"

    def __str__(self) -> str:
        return f"{self.head.name} -- {self.relation.label} -> {self.tail.name}"


@dataclass(frozen=True)
class Result:
    """What was found in one document.

    Attributes:
        document: the document; texts become one with a hash of the text as its id.
        entities: in the order of their first mentions.
        facts: the most probable first; equally probable ones in the order of the text.
    """

    document: Document
    entities: tuple[ExtractedEntity, ...]
    facts: tuple[ExtractedFact, ...]

    @property
    def text(self) -> str:
        """The text; offsets of spans count its characters."""
        return self.document.text

    @property
    def title(self) -> str:
        """Title of the document, empty where it has none."""
        return self.document.title

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """The sentences of the text."""
        return tuple(_span(self.document, start, end) for start, end in self.document.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as dictionaries and lists that fit JSON."""
        return {
            "id": self.document.id,
            "title": self.title,
            "text": self.text,
            "entities": [
                {
                    "name": entity.name,
                    "type": entity.type,
                    "kb_ids": list(entity.kb_ids),
                    "mentions": [_span_dict(span) for span in entity.mentions],
                }
                for entity in self.entities
            ],
            "facts": [
                {
                    "head": fact.head.name,
                    "relation": fact.relation.id,
                    "label": fact.relation.label,
                    "tail": fact.tail.name,
                    "probability": fact.probability,
                    "evidence": [_span_dict(span) for span in fact.evidence],
                }
                for fact in self.facts
            ],
        }

    def __repr__(self) -> str:
        return (
            f"Result({counted(len(self.entities), 'entity', 'entities')} and {counted(len(self.facts), 'fact')} "
            f"in {counted(len(self.text), 'character')})"
        )

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"  {fact.probability:.2f}  {fact}" for fact in self.facts)])

    def _repr_html_(self) -> str:
        from factmill.html import marked_text, table_html

        spans = [(span.start, span.end, entity.type) for entity in self.entities for span in entity.mentions]
        rows = [
            (
                fact.head.name,
                fact.relation.label,
                fact.tail.name,
                f"{fact.probability:.2f}",
                " ".join(span.text for span in fact.evidence),
            )
            for fact in self.facts
        ]
        columns = ("head", "relation", "tail", "probability", "evidence")
        return marked_text(self.text, spans) + table_html(columns, rows)


def result_of(document: Document, extraction: Extraction, schema: RelationSchema) -> Result:
    """Return an extraction with everything that its indices refer to."""
    entities = tuple(_entity(document, entity) for entity in extraction.entities)
    sentences = [_span(document, start, end) for start, end in document.sentences]
    facts = [
        ExtractedFact(
            head=entities[fact.head],
            relation=schema.by_id[fact.relation],
            tail=entities[fact.tail],
            probability=fact.probability,
            evidence=tuple(sentences[index] for index in fact.evidence),
        )
        for fact in sorted(extraction.facts, key=lambda fact: (-fact.probability, fact.head, fact.tail, fact.relation))
    ]
    return Result(document, entities, tuple(facts))


def _entity(document: Document, entity: Entity) -> ExtractedEntity:
    spans = tuple(sorted({_span(document, mention.start, mention.end) for mention in entity.mentions}))
    longest = min(spans, key=lambda span: (span.start - span.end, span.start))
    return ExtractedEntity(" ".join(longest.text.split()), entity.type, spans, entity.kb_ids)


def _span(document: Document, first: int, last: int) -> Span:
    """Return the span from token `first` to before token `last`."""
    start, end = document.tokens[first][0], document.tokens[last - 1][1]
    return Span(start, end, document.text[start:end])


def _span_dict(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "text": span.text}
