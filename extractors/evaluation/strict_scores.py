"""Strict end-to-end scores on every level of joint extraction (JEREX, section 4).

mention       a token span;
coreference   an entity's set of spans, exactly;
entity        that set with the type;
rel           relation and both sets of spans, types left aside;
rel_nec       relation and both sets of spans with their types: the headline figure.

Each level is a set of items per document, so what is listed twice counts once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from extractors.evaluation.comparison import Pair, Spans, spans_of
from extractors.evaluation.score import Score
from schemas.document import Entity, Fact

LEVELS = ("mention", "coreference", "entity", "rel", "rel_nec")


def strict_scores(pairs: Iterable[Pair]) -> dict[str, list[Score]]:
    """Return the scores of every level, one for each document."""
    scores: dict[str, list[Score]] = {level: [] for level in LEVELS}
    for document, extraction in pairs:
        gold = _items(document.entities or (), document.facts)
        predicted = _items(extraction.entities, extraction.facts)
        for level in LEVELS:
            scores[level].append(Score.of(gold[level], predicted[level]))
    return scores


def entity_type_scores(pairs: Iterable[Pair]) -> dict[str, Score]:
    """Return the strict `entity` score of every type that occurs."""
    totals: dict[str, Score] = {}
    for document, extraction in pairs:
        gold = set(strict_entities(document.entities or ()))
        predicted = set(strict_entities(extraction.entities))
        for type in {type for _, type in gold | predicted}:
            score = Score.of({e for e in gold if e[1] == type}, {e for e in predicted if e[1] == type})
            totals[type] = totals.get(type, Score()) + score
    return dict(sorted(totals.items()))


def strict_entities(entities: Iterable[Entity]) -> list[tuple[Spans, str]]:
    """Return what makes each entity right at the level `entity`."""
    return [(spans_of(entity), entity.type) for entity in entities]


def strict_facts(entities: Sequence[Entity], facts: Iterable[Fact]) -> list[tuple[Hashable, str, Hashable]]:
    """Return what makes each fact right at the level `rel_nec`."""
    typed = strict_entities(entities)
    return [(typed[fact.head], fact.relation, typed[fact.tail]) for fact in facts]


def _items(entities: Sequence[Entity], facts: Iterable[Fact]) -> dict[str, frozenset[Hashable]]:
    facts = list(facts)
    clusters = [spans_of(entity) for entity in entities]
    return {
        "mention": frozenset(span for cluster in clusters for span in cluster),
        "coreference": frozenset(clusters),
        "entity": frozenset(strict_entities(entities)),
        "rel": frozenset((clusters[fact.head], fact.relation, clusters[fact.tail]) for fact in facts),
        "rel_nec": frozenset(strict_facts(entities, facts)),
    }
