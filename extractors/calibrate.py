"""Thresholds and calibrated probabilities, chosen on selection documents only."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor
from torch.nn import functional

from extractors.checkpoint import Calibration
from extractors.device import choose_device
from extractors.evaluation import evaluate
from extractors.evaluation.score import Score
from extractors.evaluation.threshold import best_threshold
from extractors.extractor import Extractor
from extractors.heads import EntityPairs
from extractors.layout import lay_out_entities
from extractors.network import Network
from extractors.objective import entity_spans, make_example, relation_targets
from extractors.prepare import Preparer
from schemas import Document, Extraction, Fact

GRID = tuple(np.round(np.arange(0.25, 0.96, 0.1), 2).tolist())
# Facts below this probability are not looked at when a cut is sought.
FLOOR = 0.02


def as_plain_text(document: Document) -> Document:
    """Return the document as an extractor meets it: without annotations."""
    return replace(document, entities=None, facts=(), mentions=())


def end_to_end_scores(
    model: Network, preparer: Preparer, calibration: Calibration, documents: Sequence[Document]
) -> dict[str, float]:
    """Extract from the bare texts and return strict precision, recall and F1 of every level.

    `rel_nec_best_f1` is the F1 at the best cut on these very documents; it serves to compare epochs.
    """
    low = replace(calibration, relation_threshold=FLOOR)
    extractor = Extractor(copy.deepcopy(model), preparer, low)
    found = extractor.extract([preparer.prepare(as_plain_text(document)) for document in documents])
    cut = [_cut(extraction, calibration.relation_threshold) for extraction in found]
    scores: dict[str, float] = {}
    for level, score in evaluate(documents, cut, extractor.schema).strict.items():
        scores[f"{level}_precision"] = round(score.precision, 4)
        scores[f"{level}_recall"] = round(score.recall, 4)
        scores[f"{level}_f1"] = round(score.f1, 4)
    scores["rel_nec_best_f1"] = round(_best_cut(documents, found)[1], 4)
    return scores


def selection_scores(
    model: Network, preparer: Preparer, documents: Sequence[Document]
) -> tuple[dict[str, float], float]:
    """Return scores of a network in training and the one by which epochs are compared.

    That is strict `rel_nec` F1 from bare text for a joint network and F1 with given entities otherwise, both at the
    best cut on these very documents.
    """
    if model.config.joint:
        scores = end_to_end_scores(model, preparer, Calibration(), documents)
        return scores, scores["rel_nec_best_f1"]
    found, targets = relation_scores_given_entities(model, preparer, documents)
    best = best_threshold(found.flatten().numpy(), targets.flatten().numpy(), facts_between(documents))
    plain = best.score
    at_zero = Score(plain.gold, int((found > 0).sum()), int(targets[found > 0].sum()))
    scores = {
        "precision": round(plain.precision, 4),
        "recall": round(plain.recall, 4),
        "f1": round(plain.f1, 4),
        "f1_at_zero": round(at_zero.f1, 4),
    }
    return scores, plain.f1


def figures_of(
    model: Network, preparer: Preparer, calibration: Calibration, documents: Sequence[Document]
) -> dict[str, float]:
    """Return the figures of a finished network: from bare text if it is joint, else with given entities."""
    if model.config.joint:
        return end_to_end_scores(model, preparer, calibration, documents)
    extractor = Extractor(copy.deepcopy(model), preparer, calibration)
    found = extractor.extract([preparer.prepare(document) for document in documents])
    relations = evaluate(documents, found, extractor.schema).relations
    scores = {"relation": relations.overall, "intra": relations.intra, "inter": relations.inter}
    return {
        f"{name}_{part}": round(getattr(score, part), 4)
        for name, score in scores.items()
        if score is not None
        for part in ("precision", "recall", "f1")
    }


def facts_between(documents: Sequence[Document]) -> int:
    """Return the number of distinct annotated facts."""
    return sum(len({(fact.head, fact.relation, fact.tail) for fact in document.facts}) for document in documents)


def calibrate(model: Network, preparer: Preparer, documents: Sequence[Document], name: str) -> Calibration:
    """Choose the three thresholds by a grid search (section 4) and calibrate the relation probabilities.

    Probabilities are those of facts between annotated entities, by Platt's scaling; thresholds are the best for the
    joint extraction from bare text.
    """
    scale, bias = _platt(model, preparer, documents)
    calibration = Calibration(scale=scale, bias=bias, selected_on=name)
    if not model.config.joint:
        found, targets = relation_scores_given_entities(model, preparer, documents)
        values = calibration.probabilities(found).flatten().numpy()
        best = best_threshold(values, targets.flatten().numpy(), facts_between(documents))
        return replace(calibration, relation_threshold=round(best.value, 4))
    extractor = Extractor(copy.deepcopy(model), preparer, replace(calibration, relation_threshold=2.0))
    prepared = [preparer.prepare(as_plain_text(document)) for document in documents]

    def entity_f1(candidate: Calibration) -> float:
        extractor.calibration = replace(candidate, relation_threshold=2.0)
        return evaluate(documents, extractor.extract(prepared), extractor.schema).strict["entity"].f1

    for key in ("mention_threshold", "coreference_threshold"):
        best = max(GRID, key=lambda value, key=key: entity_f1(replace(calibration, **{key: value})))  # type: ignore[misc]
        calibration = replace(calibration, **{key: best})
    extractor.calibration = replace(calibration, relation_threshold=FLOOR)
    threshold, _ = _best_cut(documents, extractor.extract(prepared))
    return replace(calibration, relation_threshold=round(threshold, 4))


def _cut(extraction: Extraction, threshold: float) -> Extraction:
    return replace(extraction, facts=tuple(fact for fact in extraction.facts if fact.probability >= threshold))


def _best_cut(documents: Sequence[Document], found: Sequence[Extraction]) -> tuple[float, float]:
    """Return the cut with the best strict `rel_nec` F1, and that F1."""
    probabilities: list[float] = []
    correct: list[bool] = []
    total = 0
    for document, extraction in zip(documents, found, strict=True):
        gold = _keys(document.entities or (), document.facts)
        total += len(gold)
        keys = [next(iter(_keys(extraction.entities, [fact]))) for fact in extraction.facts]
        probabilities += [fact.probability for fact in extraction.facts]
        correct += [key in gold for key in keys]
    best = best_threshold(np.array(probabilities), np.array(correct, bool), total)
    return best.value, best.score.f1


def _keys(entities: Sequence[object], facts: Sequence[Fact]) -> set[tuple[object, str, object]]:
    clusters = [(frozenset((m.start, m.end) for m in e.mentions), e.type) for e in entities]  # type: ignore[attr-defined]
    return {(clusters[fact.head], fact.relation, clusters[fact.tail]) for fact in facts}


def relation_scores_given_entities(
    model: Network, preparer: Preparer, documents: Sequence[Document]
) -> tuple[Tensor, Tensor]:
    """Return scores and targets of all pairs of annotated entities: two tensors of shape (pairs, relations)."""
    device = choose_device()
    model = copy.deepcopy(model).to(device.place, device.precision).eval()
    schema = model.config.schema
    scores: list[Tensor] = []
    targets: list[Tensor] = []
    usable = sorted((d for d in documents if d.tokens and len(d.entities or ()) > 1), key=lambda d: len(d.tokens))
    examples = [make_example(model, preparer.prepare(document)) for document in usable]
    with torch.inference_mode():
        for group in device.groups(examples, lambda example: len(example.passage.pieces)):
            encoded = model.encode([example.passage for example in group])
            host = lay_out_entities([entity_spans(example.document) for example in group], encoded.words)
            layout = host.to(encoded.device)
            types = encoded.place(np.array([t for example in group for t in example.types], np.int64))
            pairs = EntityPairs(encoded, layout, model.mention_vectors(encoded, layout), types)
            scores.append(model.relation_scores(pairs).float().cpu())
            targets.append(relation_targets(host, [example.document for example in group], schema.index))
    return torch.cat(scores), torch.cat(targets)


def _platt(model: Network, preparer: Preparer, documents: Sequence[Document]) -> tuple[float, float]:
    logits, targets = relation_scores_given_entities(model, preparer, documents)
    flat, truth = logits.flatten().double(), targets.flatten().double()
    weights = torch.tensor([1.0, 0.0], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(weights[0] * flat + weights[1], truth)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    scale, bias = weights.detach().tolist()
    return round(scale, 4), round(bias, 4)
