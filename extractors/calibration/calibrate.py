"""Calibrate a network: choose everything in `calibration.json` on documents that training did not see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
from msgspec.structs import replace

from extractors.calibration.candidates import (
    Candidates,
    as_plain_text,
    candidates_from_text,
    candidates_given_entities,
)
from extractors.calibration.entity_confidence_fit import fit_entity_confidence
from extractors.calibration.evidence_threshold import best_evidence_threshold
from extractors.calibration.probability_maps import choose_map
from extractors.calibration.thresholds import with_thresholds
from extractors.encoder.featurizer import Features, Featurizer
from extractors.evaluation import evaluate
from extractors.evaluation.strict_scores import strict_entities
from extractors.inference.confidence import Calibration, RelationCalibration
from extractors.inference.entity_confidence import EntityConfidence
from extractors.inference.extractor import Extractor
from extractors.network.network import Network
from schemas import Document

_ALPHAS = tuple(np.round(np.arange(0.25, 0.96, 0.1), 2).tolist())
_GRIDS = {
    "repeated_threshold": (1.0, 0.1, 0.01),
    "mention_threshold": _ALPHAS,
    "coreference_threshold": _ALPHAS,
}


def calibrate(
    model: Network,
    featurizer: Featurizer,
    documents: Sequence[Document],
    name: str,
    listener: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """Choose thresholds and calibrate the probabilities of relations.

    For a network that only relates given entities the probability of a fact is that between right entities. A joint
    one finds entities itself, and a fact between wrong ones is wrong: its probabilities are fitted to what it finds in
    the bare texts, where they also depend on the confidence in the entities, and separately (`given`) to annotated
    entities, for documents that come with them.

    Args:
        model: the network.
        featurizer: prepares documents for it.
        documents: annotated documents, as many as possible; the choices are made on them.
        name: their name in `calibration.json`.
        listener: hears after each pass over the documents how many of all passes are done.
    """
    passes = _Passes(2 + (2 + sum(map(len, _GRIDS.values())) if model.config.joint else 0), listener)
    candidates = candidates_given_entities(model, featurizer, documents)
    passes.count()
    given = calibrate_relations(candidates)
    calibration = Calibration(selected_on=name)
    evidence = best_evidence_threshold(model, featurizer, documents)
    passes.count()
    if evidence is not None:
        calibration = replace(calibration, evidence_threshold=evidence)
    if not model.config.joint:
        return replace(calibration, **_fields(given))
    extractor = Extractor(copy.deepcopy(model), featurizer, calibration)
    features = [featurizer.featurize(as_plain_text(document)) for document in documents]
    extractor.calibration = calibration = _with_entity_thresholds(extractor, features, documents, passes)
    calibration = replace(calibration, given=given, entities=_entity_confidence(extractor, features, documents))
    extractor.calibration = calibration
    passes.count()
    in_text = candidates_from_text(extractor, features, documents, candidates)
    passes.count()
    return replace(calibration, **_fields(calibrate_relations(in_text)))


class _Passes:
    """Counts passes over the documents, which are what calibration takes its time for."""

    def __init__(self, total: int, listener: Callable[[int, int], None]) -> None:
        self._total, self._listener, self._done = total, listener, 0

    def count(self) -> None:
        self._done += 1
        self._listener(self._done, self._total)


def calibrate_relations(candidates: Candidates) -> RelationCalibration:
    """Choose the map from scores to probabilities, then the cuts.

    Only useful candidates take part: what a score means there does not depend on the many far below.
    """
    candidates = candidates.useful()
    return with_thresholds(choose_map(candidates), candidates)


def _fields(part: RelationCalibration) -> dict[str, object]:
    return {name: getattr(part, name) for name in RelationCalibration.__struct_fields__}


def _with_entity_thresholds(
    extractor: Extractor, features: Sequence[Features], documents: Sequence[Document], passes: _Passes
) -> Calibration:
    """Choose the thresholds of entities, one after the other, by their strict F1 (grid search, section 4 of JEREX)."""
    calibration = extractor.calibration

    def entity_f1(candidate: Calibration) -> float:
        extractor.calibration = candidate
        report = evaluate(documents, extractor.extract(features, facts=False), extractor.schema)
        passes.count()
        return report.strict["entity"].f1

    for key, grid in _GRIDS.items():
        best = max(grid, key=lambda value, key=key: entity_f1(replace(calibration, **{key: value})))  # type: ignore[misc]
        calibration = replace(calibration, **{key: best})
    return calibration


def _entity_confidence(
    extractor: Extractor, features: Sequence[Features], documents: Sequence[Document]
) -> EntityConfidence:
    """Fit the confidence in the entities that are found in the bare texts."""
    rows, right = [np.zeros((0, 4))], []
    for document, passages in zip(documents, extractor.extract_passages(features, facts=False), strict=True):
        annotated = set(strict_entities(document.entities or ()))
        for passage in passages:
            rows.append(np.array(passage.entity_features).reshape(-1, 4))
            right += [entity in annotated for entity in strict_entities(passage.entities)]
    return fit_entity_confidence(np.concatenate(rows), np.array(right, bool))
