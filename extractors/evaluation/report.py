"""All scores of one evaluation, as JSON and as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from extractors.evaluation.bootstrap import ScoreInterval, score_interval
from extractors.evaluation.comparison import compare, entities_given, match_documents
from extractors.evaluation.hypernyms import MeshTree
from extractors.evaluation.relation_scores import RelationScores, TrainFacts, relation_scores
from extractors.evaluation.score import Average, Score, UnseenScore
from extractors.evaluation.strict_scores import entity_type_scores, strict_scores
from schemas.document import Document, Extraction
from schemas.relation_schema import RelationSchema

_LEVEL_NAMES = {
    "mention": "mention localization",
    "coreference": "coreference",
    "entity": "entity with type",
    "rel": "relation (rel)",
    "rel_nec": "relation (rel_nec)",
}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of `evaluate`.

    Attributes:
        documents: number of gold documents.
        missing: how many of them had no prediction and count as empty.
        strict: micro scores of the levels `mention`, `coreference`, `entity`, `rel` and `rel_nec`.
        strict_documents: the scores of each document, by level.
        entity_types: strict entity score of every type; `entity_macro` is their mean.
        relations: the relation scores.
        labels: label of every relation in `relations.by_relation`, by its id.
    """

    documents: int
    missing: int
    strict: dict[str, Score]
    strict_documents: dict[str, list[Score]]
    entity_types: dict[str, Score]
    entity_macro: Average
    relations: RelationScores
    labels: dict[str, str]

    def strict_intervals(self) -> dict[str, ScoreInterval]:
        """Return the confidence intervals of `strict`, by level."""
        return {level: score_interval(scores) for level, scores in self.strict_documents.items()}

    def relation_intervals(self) -> dict[str, ScoreInterval]:
        """Return the confidence intervals of the relation scores, by name."""
        return {name: score_interval(scores) for name, scores in self.relations.documents.items()}

    def to_dict(self) -> dict[str, object]:
        """Return plain dictionaries; ratios are between 0 and 1; scores that do not apply are left out."""
        relations = self.relations
        strict_intervals, relation_intervals = self.strict_intervals(), self.relation_intervals()
        return {
            "documents": self.documents,
            "missing": self.missing,
            "strict": {
                level: {**score.to_dict(), **strict_intervals[level].to_dict()} for level, score in self.strict.items()
            },
            "entity_types": {type: score.to_dict() for type, score in self.entity_types.items()},
            "entity_macro": self.entity_macro.to_dict(),
            "relations": {
                "entities_given": relations.entities_given,
                **{
                    name: {**score.to_dict(), **relation_intervals[name].to_dict()}
                    for name, _, score in _relation_rows(relations)
                },
                "macro": relations.macro.to_dict(),
                "by_relation": {
                    relation: {"label": self.labels[relation], **score.to_dict()}
                    for relation, score in relations.by_relation.items()
                },
            },
        }

    def to_json(self) -> str:
        """Return `to_dict` as indented JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def __str__(self) -> str:
        relations = self.relations
        micro = [(_LEVEL_NAMES[level], score) for level, score in self.strict.items()]
        levels = {_LEVEL_NAMES[level]: interval for level, interval in self.strict_intervals().items()}
        types = [(type, score) for type, score in self.entity_types.items()]
        sides = [(title, score) for _, title, score in _relation_rows(relations)]
        of_sides = self.relation_intervals()
        titles = {title: of_sides[name] for name, title, _ in _relation_rows(relations)}
        by_size = sorted(relations.by_relation.items(), key=lambda item: (-item[1].gold, item[0]))
        each = [(f"{relation} {self.labels[relation]}", score) for relation, score in by_size]
        missing = f", {self.missing} without prediction" if self.missing else ""
        given = "given" if relations.entities_given else "predicted"
        return "\n\n".join(
            (
                f"documents: {self.documents}{missing}",
                _table("strict, micro", micro, levels),
                _table("entities by type", [*types, ("macro", self.entity_macro)]),
                _table(f"relations, entities {given}", [*sides, ("macro", relations.macro)], titles),
                _table("by relation", each),
            )
        )


def evaluate(
    gold: Sequence[Document],
    predicted: Sequence[Extraction],
    schema: RelationSchema,
    train_facts: TrainFacts | None = None,
    mesh_tree: MeshTree | None = None,
) -> Report:
    """Compare predictions with annotated documents.

    Predictions are taken as they are: apply thresholds before. Documents without a prediction count as
    empty. The order of documents, entities and facts does not matter.

    Args:
        gold: documents with entities and facts.
        predicted: extractions, joined to the documents by their id.
        schema: the relations that may occur.
        train_facts: facts seen in training, for Ign F1.
        mesh_tree: the MeSH tree, for the hypernym filter on chemical-disease pairs.

    Raises:
        EvaluationError: gold and predictions do not fit together.
    """
    pairs, missing = match_documents(gold, predicted, schema)
    given = entities_given(pairs)
    relations = relation_scores([compare(pair, given) for pair in pairs], given, train_facts, mesh_tree)
    types = entity_type_scores(pairs)
    strict = strict_scores(pairs)
    return Report(
        documents=len(pairs),
        missing=missing,
        strict={level: sum(scores, Score()) for level, scores in strict.items()},
        strict_documents=strict,
        entity_types=types,
        entity_macro=Average.of(types),
        relations=relations,
        labels={relation: schema.by_id[relation].label for relation in relations.by_relation},
    )


def _relation_rows(scores: RelationScores) -> Iterable[tuple[str, str, Score | UnseenScore]]:
    """Yield (key, title, score) of the relation scores that apply."""
    rows: tuple[tuple[str, str, Score | UnseenScore | None], ...] = (
        ("overall", "all facts", scores.overall),
        ("ign", "not seen in training (Ign)", scores.ign),
        ("intra", "within a sentence (Intra)", scores.intra),
        ("inter", "across sentences (Inter)", scores.inter),
        ("infer", "in triangles (Infer)", scores.infer),
        ("evidence", "evidence sentences", scores.evidence),
        ("without_hypernyms", "without hypernyms", scores.without_hypernyms),
    )
    return ((key, title, score) for key, title, score in rows if score is not None)


def _table(
    title: str,
    rows: Iterable[tuple[str, Score | UnseenScore | Average]],
    intervals: Mapping[str, ScoreInterval] | None = None,
) -> str:
    """Return one block: a title line and a line per score, ratios in percent.

    Args:
        title: of the block.
        rows: name and score of each line.
        intervals: those of the lines that have one, by name.
    """
    heading = f"{title:<44}{'P':>8}{'R':>8}{'F1':>8}{'gold':>8}{'pred':>8}{'right':>8}"
    lines = [heading if intervals is None else f"{heading}   95 % of F1"]
    for name, score in rows:
        line = f"{name[:43]:<44}{score.precision:>8.2%}{score.recall:>8.2%}{score.f1:>8.2%}".replace("%", " ")
        if isinstance(score, Average):
            lines.append(f"{line}  (mean of {score.labels})")
        else:
            counts = score.all if isinstance(score, UnseenScore) else score
            line = f"{line}{counts.gold:>8}{counts.predicted:>8}{counts.correct:>8}"
            if intervals and name in intervals:
                low, high = intervals[name].f1
                line += f"   {100 * low:.1f} to {100 * high:.1f}"
            lines.append(line)
    return "\n".join(lines)
