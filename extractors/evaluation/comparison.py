"""Compare the gold annotation of a document with its prediction, with common keys for their entities."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.document import Document, Entity, Extraction, Fact
from schemas.relation_schema import RelationSchema

Spans = frozenset[tuple[int, int]]
Pair = tuple[Document, Extraction]


class EvaluationError(ValueError):
    """Gold and predictions do not fit together; the message names the document and the remedy."""


class EntityKey(NamedTuple):
    """What makes two entities of one document the same.

    When entities are given, type, knowledge-base ids and at last their order tell apart entities with equal mentions
    (a PubTator mention with two ids is two entities); otherwise these stay empty and the mentions alone decide.
    """

    spans: Spans
    type: str = ""
    kb_ids: tuple[str, ...] = ()
    copy: int = 0


class Triple(NamedTuple):
    """A fact with its entities by name."""

    head: EntityKey
    relation: str
    tail: EntityKey


@dataclass(frozen=True, slots=True)
class Comparison:
    """One document; facts listed twice are merged and their evidence united.

    Attributes:
        document: the gold document.
        gold, predicted: the evidence sentences of every fact.
        kb_ids: the knowledge-base ids of every entity, those of the gold entity where it exists.
    """

    document: Document
    gold: dict[Triple, frozenset[int]]
    predicted: dict[Triple, frozenset[int]]
    kb_ids: dict[EntityKey, frozenset[str]]

    def sentences_of(self, key: EntityKey) -> frozenset[int]:
        """Return the sentences that mention an entity."""
        starts = [start for start, _ in self.document.sentences]
        return frozenset(bisect_right(starts, start) - 1 for start, _ in key.spans)


def spans_of(entity: Entity) -> Spans:
    """Return the token spans of an entity's mentions; a span listed twice counts once."""
    return frozenset((mention.start, mention.end) for mention in entity.mentions)


def span_name(words: Sequence[str], span: tuple[int, int]) -> str:
    """Return the words of a span joined by single blanks, however the text spaced them."""
    return " ".join(words[span[0] : span[1]])


def match_documents(
    gold: Sequence[Document], predicted: Sequence[Extraction], schema: RelationSchema
) -> tuple[list[Pair], int]:
    """Join gold documents and predictions by document id.

    Returns:
        The pairs in the order of `gold`, and how many documents have no prediction; those count as if nothing was
        found in them.

    Raises:
        EvaluationError: an id occurs twice, a prediction has no gold document, a document has no gold entities, or a
            fact names an entity or a relation that does not exist.
    """
    extractions: dict[str, Extraction] = {}
    for extraction in predicted:
        if extraction.document_id in extractions:
            raise EvaluationError(f"document '{extraction.document_id}' is predicted twice: pass one extraction each")
        extractions[extraction.document_id] = extraction
    pairs: list[Pair] = []
    seen: set[str] = set()
    for document in gold:
        if document.id in seen:
            raise EvaluationError(f"document '{document.id}' occurs twice among the gold documents: remove one")
        if document.entities is None:
            raise EvaluationError(f"document '{document.id}' has no gold entities: evaluate on an annotated file")
        seen.add(document.id)
        extraction = extractions.get(document.id) or Extraction(document.id, (), ())
        _check(document.id, "gold", document.facts, len(document.entities), schema)
        _check(document.id, "predicted", extraction.facts, len(extraction.entities), schema)
        pairs.append((document, extraction))
    if unknown := sorted(extractions.keys() - seen):
        raise EvaluationError(f"document '{unknown[0]}' is predicted but is not among the gold documents")
    return pairs, len(seen) - len(extractions)


def _check(document: str, side: str, facts: Iterable[Fact], count: int, schema: RelationSchema) -> None:
    for fact in facts:
        if not (0 <= fact.head < count and 0 <= fact.tail < count):
            raise EvaluationError(
                f"document '{document}': {side} fact {fact.head} {fact.relation} {fact.tail} names an entity outside "
                f"0..{count - 1}"
            )
        if fact.relation not in schema.by_id:
            raise EvaluationError(
                f"document '{document}': {side} relation '{fact.relation}' is not in the schema '{schema.name}': "
                "choose the schema that the file was annotated with"
            )


def entities_given(pairs: Iterable[Pair]) -> bool:
    """Say whether the predictions have exactly the gold entities, with their types and knowledge-base ids.

    Documents in which no entity was predicted do not decide: a document without prediction may be among them.
    """
    decisive = [(document.entities or (), extraction.entities) for document, extraction in pairs if extraction.entities]
    return bool(decisive) and all(
        Counter(_by_identity(gold)) == Counter(_by_identity(found)) for gold, found in decisive
    )


def compare(pair: Pair, given: bool) -> Comparison:
    """Name the facts of one document by their entities; `given` is `entities_given` of the whole file."""
    document, extraction = pair
    name = _by_identity if given else _by_mentions
    gold_keys, predicted_keys = name(document.entities or ()), name(extraction.entities)
    kb_ids: dict[EntityKey, frozenset[str]] = {}
    for key, entity in zip(gold_keys, document.entities or (), strict=True):
        kb_ids[key] = kb_ids.get(key, frozenset()) | frozenset(entity.kb_ids)
    for key, entity in zip(predicted_keys, extraction.entities, strict=True):
        kb_ids.setdefault(key, frozenset(entity.kb_ids))
    return Comparison(document, _triples(document.facts, gold_keys), _triples(extraction.facts, predicted_keys), kb_ids)


def _by_identity(entities: Iterable[Entity]) -> list[EntityKey]:
    before: Counter[EntityKey] = Counter()
    keys = []
    for entity in entities:
        key = EntityKey(spans_of(entity), entity.type, entity.kb_ids)
        keys.append(key._replace(copy=before[key]))
        before[key] += 1
    return keys


def _by_mentions(entities: Iterable[Entity]) -> list[EntityKey]:
    return [EntityKey(spans_of(entity)) for entity in entities]


def _triples(facts: Iterable[Fact], keys: Sequence[EntityKey]) -> dict[Triple, frozenset[int]]:
    found: dict[Triple, frozenset[int]] = {}
    for fact in facts:
        triple = Triple(keys[fact.head], fact.relation, keys[fact.tail])
        found[triple] = found.get(triple, frozenset()) | frozenset(fact.evidence)
    return found
