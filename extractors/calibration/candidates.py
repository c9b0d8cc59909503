"""Candidate facts of annotated documents with their raw scores, on which the calibration is chosen."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray
from scipy.special import logit

from extractors.encoder.featurizer import Features, Featurizer
from extractors.evaluation.strict_scores import strict_facts
from extractors.inference.annotated_pairs import annotated_pairs, inference_copy
from extractors.inference.confidence import DIGITS, Calibration, RelationCalibration
from extractors.inference.extractor import Extractor
from extractors.network.examples import relation_targets
from extractors.network.network import Network
from schemas import Document, Entity, Extraction, Fact, RelationSchema

# So many candidates for each gold fact, the best ones, are useful: hardly any fact scores lower, and the millions of
# others would only take time and weight.
_PER_GOLD_FACT = 20


@dataclass(frozen=True)
class Candidates:
    """Candidate facts in any order.

    Attributes:
        score: raw score, shape (n,).
        relation: its number in the schema, shape (n,).
        correct: whether it is a gold fact, shape (n,).
        document: position of its document, shape (n,).
        gold: gold facts of every document and relation, whether candidates or not, shape (documents, relations).
        relations: ids of the relations.
    """

    score: NDArray[np.float64]
    relation: NDArray[np.int64]
    correct: NDArray[np.bool_]
    document: NDArray[np.int64]
    gold: NDArray[np.int64]
    relations: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.score)

    def on_lines(self, calibration: RelationCalibration) -> NDArray[np.float64]:
        """Return the score of each candidate on the line of its relation."""
        return calibration.on_lines(self.score, self.relation, self.relations)

    def probabilities(self, calibration: RelationCalibration) -> NDArray[np.float64]:
        """Return the probability of each candidate, as extractions state it."""
        return calibration.on_line(self.on_lines(calibration)).round(DIGITS)

    def of_documents(self, chosen: NDArray[np.bool_]) -> Candidates:
        """Return the candidates of some documents; the others count as if they did not exist."""
        return replace(self.where(chosen[self.document]), gold=self.gold * chosen[:, None])

    def where(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return some of the candidates; the gold facts stay."""
        columns = {name: getattr(self, name)[kept] for name in ("score", "relation", "correct", "document")}
        return replace(self, **columns)

    def useful(self) -> Candidates:
        """Return the candidates among which nearly all facts are."""
        return self.where(self.score >= self.lowest_useful_score())

    def lowest_useful_score(self) -> float:
        """Return a score that nearly all facts exceed, and far fewer of the candidates."""
        count = _PER_GOLD_FACT * int(self.gold.sum())
        if not 0 < count < len(self):
            return float(self.score.min(initial=0.0))
        return float(np.partition(self.score, len(self) - count)[len(self) - count])


def as_plain_text(document: Document) -> Document:
    """Return the document as an extractor meets it: without annotations."""
    return structs.replace(document, entities=None, facts=(), mentions=())


def candidates_given_entities(model: Network, featurizer: Featurizer, documents: Sequence[Document]) -> Candidates:
    """Return every relation that the schema allows between every pair of annotated entities."""
    schema = model.config.schema
    rows = [_no_rows()]
    model = inference_copy(model)
    with torch.inference_mode():
        for group, host, pairs in annotated_pairs(model, featurizer, documents):
            scores = model.relation_scores(pairs).double().cpu().numpy()
            targets = relation_targets(host, [documents[at] for at in group], schema.index).numpy() > 0
            types = pairs.types.cpu()
            allowed = model.allowed_pairs[types[host.pairs[:, 0]], types[host.pairs[:, 1]]].numpy()
            document = np.array(group)[host.entity_passage[host.pairs[:, 0]].numpy()]
            pair, relation = allowed.nonzero()
            rows.append((scores[pair, relation], relation, targets[pair, relation], document[pair]))
    gold = np.zeros((len(documents), len(schema.relations)), np.int64)
    for at, annotated in enumerate(documents):
        for _, name, _ in set(_by_place((), annotated.facts)):
            gold[at, schema.index[name]] += 1
    return _candidates(rows, gold, schema)


def candidates_found(documents: Sequence[Document], found: Sequence[Extraction], schema: RelationSchema) -> Candidates:
    """Return the facts of extractions, their probability as the score; correct are those that are strictly so.

    That is, both entities have exactly the mentions and the type of an annotated one (`rel_nec`).
    """
    rows = [_no_rows()]
    gold = np.zeros((len(documents), len(schema.relations)), np.int64)
    for at, (document, extraction) in enumerate(zip(documents, found, strict=True)):
        # Given entities are distinguished by their positions: two of them may have the same mentions.
        given = extraction.entities == document.entities
        key = _by_place if given else strict_facts
        right = set(key(document.entities or (), document.facts))
        for _, name, _ in right:
            gold[at, schema.index[name]] += 1
        rows.append(
            (
                np.array([fact.probability for fact in extraction.facts], np.float64),
                np.array([schema.index[fact.relation] for fact in extraction.facts], np.int64),
                np.array([fact in right for fact in key(extraction.entities, extraction.facts)], bool),
                np.full(len(extraction.facts), at, np.int64),
            )
        )
    return _candidates(rows, gold, schema)


def _by_place(entities: Sequence[Entity], facts: Iterable[Fact]) -> list[tuple[Hashable, str, Hashable]]:
    return [(fact.head, fact.relation, fact.tail) for fact in facts]


class _Raw(Calibration, frozen=True):
    """A calibration that leaves scores as they are, so that extractions carry them in place of probabilities."""

    def on_line(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(z, np.float64)

    def scores_for(self, probabilities: NDArray[np.float64], relations: Sequence[str]) -> NDArray[np.float64]:
        return probabilities

    def relating(self, given: bool) -> RelationCalibration:
        return self


def candidates_from_text(
    extractor: Extractor, features: Sequence[Features], documents: Sequence[Document], given: Candidates
) -> Candidates:
    """Return the facts that are found in bare texts, as `candidates_found`, with what becomes their probability.

    Args:
        extractor: a joint one; its calibration holds the confidence in found entities.
        features: the bare texts.
        documents: the same, annotated.
        given: candidates between annotated entities; what is less likely than the useful ones of them is left out.
    """
    own = extractor.calibration
    if own.entities is not None and own.given is not None:
        given = replace(given, score=logit(own.given.on_line(given.on_lines(own.given))))
    raw = _Raw(
        mention_threshold=own.mention_threshold,
        coreference_threshold=own.coreference_threshold,
        repeated_threshold=own.repeated_threshold,
        relation_threshold=given.lowest_useful_score(),
        entities=own.entities,
        given=own.given,
    )
    scorer = Extractor(extractor.model, extractor.featurizer, raw, extractor.device)
    return candidates_found(documents, scorer.extract(features), extractor.schema)


_Rows = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]


def _no_rows() -> _Rows:
    return np.zeros(0), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int64)


def _candidates(rows: Sequence[_Rows], gold: NDArray[np.int64], schema: RelationSchema) -> Candidates:
    score, relation, correct, document = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Candidates(score, relation, correct, document, gold, tuple(schema.index))
