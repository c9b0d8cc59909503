"""Relation scores from several sides: Ign F1, intra- and inter-sentence, inference, evidence, per relation.

Facts are compared by their entities' exact mentions. With given entities these are the figures of the relation
extraction literature; with predicted entities they break the strict `rel` score down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from extractors.evaluation.comparison import Comparison, EntityKey, Triple, span_name, spans_of
from extractors.evaluation.hypernyms import MeshTree, without_hypernyms
from extractors.evaluation.score import Average, Score, UnseenScore
from schemas.document import Document


@dataclass(frozen=True, slots=True)
class TrainFacts:
    """Facts of the training documents as (head name, relation, tail name), one for every pair of mention names."""

    triples: frozenset[tuple[str, str, str]]

    @classmethod
    def collect(cls, documents: Iterable[Document]) -> TrainFacts:
        """Gather the facts of annotated documents."""
        found: set[tuple[str, str, str]] = set()
        for document in documents:
            words = document.words()
            names = [{span_name(words, span) for span in spans_of(entity)} for entity in document.entities or ()]
            for fact in document.facts:
                found.update((head, fact.relation, tail) for head in names[fact.head] for tail in names[fact.tail])
        return cls(frozenset(found))

    def count_seen(self, words: Sequence[str], triples: Iterable[Triple]) -> int:
        """Count the facts of which some pair of mention names occurs in the training data."""
        return sum(
            any(
                (span_name(words, head), triple.relation, span_name(words, tail)) in self.triples
                for head in triple.head.spans
                for tail in triple.tail.spans
            )
            for triple in triples
        )


@dataclass(frozen=True, slots=True)
class RelationScores:
    """How well facts were found.

    Attributes:
        entities_given: whether the predictions had exactly the gold entities.
        overall: all facts.
        intra: facts whose entities share a sentence.
        inter: facts whose entities share none.
        infer: facts that take part in a triangle h -> o -> t, h -> t of gold facts (gold side) or of predicted facts
            (predicted side), any of the three being counted (DocRE-II section 3.7).
        by_relation: score of every relation of the schema that occurs, by its id.
        macro: mean over `by_relation`.
        ign: without the correct facts that training saw; None without training facts.
        evidence: evidence sentences of all facts; None when gold names none.
        without_hypernyms: `overall` after the MeSH hypernym filter; None without a MeSH tree.
        documents: the scores of each document, in order, by the names above.
    """

    entities_given: bool
    overall: Score
    intra: Score
    inter: Score
    infer: Score
    by_relation: dict[str, Score]
    macro: Average
    ign: UnseenScore | None = None
    evidence: Score | None = None
    without_hypernyms: Score | None = None
    documents: dict[str, list[Score | UnseenScore]] = field(default_factory=dict)


def relation_scores(
    comparisons: Sequence[Comparison], given: bool, train_facts: TrainFacts | None, mesh_tree: MeshTree | None
) -> RelationScores:
    """Score the facts of all documents."""
    by_relation: dict[str, Score] = defaultdict(Score)
    documents: dict[str, list[Score | UnseenScore]] = defaultdict(list)
    for comparison in comparisons:
        for name, score in _document_scores(comparison, train_facts, mesh_tree).items():
            documents[name].append(score)
        gold, predicted = comparison.gold.keys(), comparison.predicted.keys()
        for triple in gold | predicted:
            right = triple in gold and triple in predicted
            by_relation[triple.relation] += Score(triple in gold, triple in predicted, right)
    total = {name: _total(documents[name]) for name in ("overall", "intra", "inter", "infer", "evidence")}
    return RelationScores(
        entities_given=given,
        overall=total["overall"],
        intra=total["intra"],
        inter=total["inter"],
        infer=total["infer"],
        by_relation=dict(sorted(by_relation.items())),
        macro=Average.of(by_relation),
        ign=None
        if train_facts is None
        else UnseenScore(total["overall"], sum(s.seen for s in documents["ign"] if isinstance(s, UnseenScore))),
        evidence=total["evidence"] if total["evidence"].gold else None,
        without_hypernyms=None if mesh_tree is None else _total(documents["without_hypernyms"]),
        documents=dict(documents),
    )


def _document_scores(
    comparison: Comparison, train_facts: TrainFacts | None, mesh_tree: MeshTree | None
) -> dict[str, Score | UnseenScore]:
    """Return the scores of one document, by the names that they have in `RelationScores`."""
    gold, predicted = comparison.gold.keys(), comparison.predicted.keys()
    correct = gold & predicted
    sharing = _sharing_a_sentence(comparison)
    overall = Score.of(gold, predicted)
    scores: dict[str, Score | UnseenScore] = {
        "overall": overall,
        "intra": Score.of(gold & sharing, predicted & sharing),
        "inter": Score.of(gold - sharing, predicted - sharing),
        "infer": Score.of(_in_triangles(gold), _in_triangles(predicted)),
        "evidence": Score(
            sum(map(len, comparison.gold.values())),
            sum(map(len, comparison.predicted.values())),
            sum(len(comparison.gold[triple] & comparison.predicted[triple]) for triple in correct),
        ),
    }
    if train_facts is not None:
        scores["ign"] = UnseenScore(overall, train_facts.count_seen(comparison.document.words(), correct))
    if mesh_tree is not None:
        scores["without_hypernyms"] = Score.of(gold, without_hypernyms(comparison, mesh_tree))
    return scores


def _total(scores: Iterable[Score | UnseenScore]) -> Score:
    return sum((score for score in scores if isinstance(score, Score)), Score())


def _sharing_a_sentence(comparison: Comparison) -> set[Triple]:
    """Return the facts, gold or predicted, whose two entities are mentioned in one sentence."""
    triples = comparison.gold.keys() | comparison.predicted.keys()
    sentences = {key: comparison.sentences_of(key) for triple in triples for key in (triple.head, triple.tail)}
    return {triple for triple in triples if sentences[triple.head] & sentences[triple.tail]}


def _in_triangles(triples: Collection[Triple]) -> set[Triple]:
    """Return the facts that take part in some h -> o -> t together with h -> t, with three different entities."""
    after: dict[EntityKey, set[EntityKey]] = defaultdict(set)
    before: dict[EntityKey, set[EntityKey]] = defaultdict(set)
    for head, _, tail in triples:
        if head != tail:
            after[head].add(tail)
            before[tail].add(head)
    found = set()
    for triple in triples:
        head, tail = triple.head, triple.tail
        others = (
            (after[head] & before[tail])  # the direct fact: head -> other -> tail
            | (after[head] & after[tail])  # the first step: tail -> other, head -> other
            | (before[head] & before[tail])  # the second step: other -> head, other -> tail
        )
        if head != tail and others - {head, tail}:
            found.add(triple)
    return found
