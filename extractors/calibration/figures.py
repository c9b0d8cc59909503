"""Figures of a network: scores of its facts, and the quality of their probabilities."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from extractors.calibration.calibration_error import FLOOR, error_interval, quality
from extractors.calibration.candidates import (
    Candidates,
    as_plain_text,
    candidates_found,
    candidates_from_text,
    candidates_given_entities,
)
from extractors.calibration.thresholds import score_at
from extractors.encoder.featurizer import Featurizer
from extractors.evaluation import evaluate, score_interval
from extractors.evaluation.best_threshold import best_threshold
from extractors.evaluation.score import Score, UnseenScore
from extractors.inference.confidence import Calibration, PrecisionError, RelationCalibration
from extractors.inference.extractor import Extractor
from extractors.network.network import Network
from schemas import Document

# Target precisions whose scores are stated.
TARGET_PRECISIONS = (0.8, 0.9)


def selection_scores(
    model: Network, featurizer: Featurizer, documents: Sequence[Document]
) -> tuple[dict[str, float], float]:
    """Return scores of a network in training and the one by which epochs are compared.

    That is strict `rel_nec` F1 from bare text for a joint network and F1 with given entities otherwise, both at the
    best cut on these very documents.
    """
    if model.config.joint:
        scores = end_to_end_scores(model, featurizer, Calibration(), documents)
        return scores, scores["rel_nec_best_f1"]
    found = candidates_given_entities(model, featurizer, documents)
    best = _best_score(found.score, found)
    at_zero = score_at(np.zeros(len(found.relations)), found.score, found)
    return {**_rounded("", best), "f1_at_zero": round(at_zero.f1, 4)}, best.f1


def figures_of(
    model: Network, featurizer: Featurizer, calibration: Calibration, documents: Sequence[Document]
) -> dict[str, float]:
    """Return the figures of a finished network: from bare text if it is joint, and with given entities.

    Names that begin with `given_` are about a joint network whose entities are given. `_low` and `_high` are the ends
    of the 95 % confidence interval of a figure, by the bootstrap over documents.
    """
    given = candidates_given_entities(model, featurizer, documents)
    extractor = Extractor(copy.deepcopy(model), featurizer, calibration)
    related = extractor.extract([featurizer.featurize(document) for document in documents])
    relations = evaluate(documents, related, extractor.schema).relations
    names = {"relation": "overall", "intra": "intra", "inter": "inter"}
    if relations.evidence is not None:
        names["evidence"] = "evidence"
    of_given = {level: relations.documents[name] for level, name in names.items()}
    count = {"documents": float(len(documents))}
    if not model.config.joint:
        return count | _with_intervals(of_given) | probability_figures(given, calibration)
    figures = count | end_to_end_scores(model, featurizer, calibration, documents, intervals=True)
    features = [featurizer.featurize(as_plain_text(document)) for document in documents]
    in_text = candidates_from_text(extractor, features, documents, given)
    figures |= probability_figures(in_text, calibration)
    between_given = _with_intervals(of_given) | probability_figures(given, calibration.relating(given=True))
    return figures | {f"given_{name}": value for name, value in between_given.items()}


def probability_figures(candidates: Candidates, calibration: RelationCalibration) -> dict[str, float]:
    """Return ECE and Brier score before calibration (sigmoid of the score) and after, and the outcome of wishes.

    Without a suffix they are about candidates with a calibrated probability of at least `FLOOR`, `_all` about all of
    them, and `_kept` about those above their cut.
    """
    after = candidates.probabilities(calibration)
    before = RelationCalibration().on_line(candidates.score)
    likely = after >= FLOOR
    figures: dict[str, float] = {}
    kept = after >= calibration.thresholds(candidates.relations)[candidates.relation]
    for side, chosen in (("", likely), ("_all", np.ones_like(likely)), ("_kept", kept)):
        for moment, values in (("_before", before), ("", after)):
            measured = quality(values[chosen], candidates.correct[chosen])
            figures[f"ece{side}{moment}"] = round(measured.ece, 4)
            figures[f"brier{side}{moment}"] = round(measured.brier, 6)
    low, high = error_interval(after[likely], candidates.correct[likely], candidates.document[likely])
    figures |= {"ece_low": round(low, 4), "ece_high": round(high, 4)}
    for target in TARGET_PRECISIONS:
        try:
            threshold = calibration.curve.threshold_for(target)
        except PrecisionError:
            continue
        score = score_at(np.full(len(candidates.relations), threshold), after, candidates)
        figures |= _rounded(f"target_precision_{target:g}", score)
    return figures


def end_to_end_scores(
    model: Network,
    featurizer: Featurizer,
    calibration: Calibration,
    documents: Sequence[Document],
    intervals: bool = False,
) -> dict[str, float]:
    """Extract from the bare texts and return strict precision, recall and F1 of every level, with intervals if wanted.

    `rel_nec_best_f1` is the F1 at the best cut on these very documents; it serves to compare epochs.
    """
    # All likely facts are extracted once, and those above their thresholds are picked from them.
    extractor = Extractor(copy.deepcopy(model), featurizer, calibration.at_least(FLOOR))
    likely = extractor.extract([featurizer.featurize(as_plain_text(document)) for document in documents])
    report = evaluate(documents, [calibration.keep(found) for found in likely], extractor.schema)
    scores: dict[str, float] = {}
    for level, score in report.strict.items():
        scores |= _with_intervals({level: report.strict_documents[level]}) if intervals else _rounded(level, score)
    found = candidates_found(documents, likely, extractor.schema)
    scores["rel_nec_best_f1"] = round(_best_score(found.score, found).f1, 4)
    return scores


def _best_score(values: NDArray[np.float64], candidates: Candidates) -> Score:
    return best_threshold(values, candidates.correct, int(candidates.gold.sum())).score


def _with_intervals(levels: Mapping[str, Sequence[Score | UnseenScore]]) -> dict[str, float]:
    """Return the figures of some levels from the scores of each document."""
    figures: dict[str, float] = {}
    for level, scores in levels.items():
        figures |= _rounded(level, sum((score for score in scores if isinstance(score, Score)), Score()))
        low, high = score_interval(scores).f1
        figures |= {f"{level}_f1_low": round(low, 4), f"{level}_f1_high": round(high, 4)}
    return figures


def _rounded(level: str, score: Score) -> dict[str, float]:
    prefix = f"{level}_" if level else ""
    return {f"{prefix}{part}": round(getattr(score, part), 4) for part in ("precision", "recall", "f1")}
