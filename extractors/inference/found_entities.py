"""Find the entities of passages: mentions, clusters of them, and features of the confidence (section 3.1, a and b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from extractors.encoder.encoder_output import EncodedPassages
from extractors.encoder.featurizer import Passage
from extractors.encoder.layout import candidate_spans
from extractors.inference.confidence import Calibration
from extractors.inference.coreference import cluster, constrain
from extractors.inference.entity_confidence import cluster_features
from extractors.network.name_matching import Names, edit_distances, is_unambiguous
from extractors.network.network import Network
from schemas import Document, Entity, Mention


@dataclass(frozen=True)
class FoundEntity:
    """An entity, typed if the source types it, and the first three features of its confidence."""

    entity: Entity
    features: NDArray[np.float64]


def find_entities(
    model: Network,
    calibration: Calibration,
    encoded: EncodedPassages,
    passages: Sequence[Passage],
    documents: Sequence[Document],
) -> list[list[FoundEntity]]:
    """Return the entities of each passage: the given ones, or clusters of given and predicted mentions.

    Raises:
        FloatingPointError: a score is no number.
    """
    if all(document.entities is not None for document in documents):
        return [_given(document) for document in documents]
    names = [Names(document, passage) for document, passage in zip(documents, passages, strict=True)]
    mentions, likelihood = _find_mentions(model, calibration, encoded, passages, documents, names)
    starts = np.array([m.start - p.first_word for p, found in zip(passages, mentions, strict=True) for m in found])
    ends = np.array([m.end - p.first_word for p, found in zip(passages, mentions, strict=True) for m in found])
    counts = np.array([len(found) for found in mentions])
    base = np.repeat(encoded.words.first[:-1], counts)
    owner = np.repeat(np.arange(len(passages)), counts)
    offset = np.cumsum(counts) - counts
    # All pairs in text order inside each passage.
    rank = np.arange(len(owner)) - offset[owner] if len(owner) else owner
    later = counts[owner] - rank - 1
    first = np.repeat(np.arange(len(owner)), later)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    mention_names = [name.of(m.start, m.end) for name, found in zip(names, mentions, strict=True) for m in found]
    similarity = np.zeros(0)
    if len(first):
        vectors = encoded.pool(encoded.to_device(starts + base), encoded.to_device(ends + base))
        distances = encoded.to_device(edit_distances(mention_names, first, second))
        logits = model.coreference_logits(vectors, encoded.to_device(first), encoded.to_device(second), distances)
        check_numbers(logits)
        similarity = torch.sigmoid(logits.float()).double().cpu().numpy()
    results: list[list[FoundEntity]] = []
    pair_counts = counts * (counts - 1) // 2
    pair_offset = np.cumsum(pair_counts) - pair_counts
    for index, document in enumerate(documents):
        if document.entities is not None:
            results.append(_given(document))
            continue
        found = mentions[index]
        matrix = np.eye(len(found))
        upper = np.triu_indices(len(found), 1)
        matrix[upper] = similarity[pair_offset[index] : pair_offset[index] + pair_counts[index]]
        matrix.T[upper] = matrix[upper]
        constrain(matrix, found)
        groups = cluster(matrix, calibration.coreference_threshold)
        results.append(
            [
                FoundEntity(_entity([found[i] for i in group]), features)
                for group, features in zip(groups, cluster_features(likelihood[index], matrix, groups), strict=True)
            ]
        )
    return results


def _given(document: Document) -> list[FoundEntity]:
    """Return the entities of a document that states them, with full confidence."""
    return [FoundEntity(entity, np.zeros(3)) for entity in document.entities or ()]


def _entity(mentions: list[Mention]) -> Entity:
    """Return the entity of a cluster; an empty type is filled in by the type classifier."""
    kb_ids = tuple(sorted({kb_id for mention in mentions for kb_id in mention.kb_ids}))
    types = sorted(mention.type for mention in mentions if mention.type)
    return Entity(tuple(mentions), max(types, key=types.count, default=""), kb_ids)


def _find_mentions(
    model: Network,
    calibration: Calibration,
    encoded: EncodedPassages,
    passages: Sequence[Passage],
    documents: Sequence[Document],
    names: Sequence[Names],
) -> tuple[list[list[Mention]], list[NDArray[np.float64]]]:
    """Return the mentions of passages whose entities are not given, in text order, and the probability of each."""
    words = encoded.words
    open_passages = np.array([document.entities is None for document in documents])
    start, end = candidate_spans(words, model.config.longest_mention)
    searched = open_passages[words.passage[start]]
    start, end = start[searched], end[searched]
    probability: NDArray[np.float32] = np.zeros(0, np.float32)
    if len(start):
        logits = model.mention_logits(encoded, encoded.to_device(start), encoded.to_device(end))
        check_numbers(logits)
        probability = torch.sigmoid(logits.float()).cpu().numpy()
    possible = probability >= min(calibration.mention_threshold, calibration.repeated_threshold)
    start, end, probability = start[possible], end[possible], probability[possible]
    base = words.first[:-1] - np.array([passage.first_word for passage in passages])
    owner = words.passage[start]
    places = zip(owner.tolist(), (start - base[owner]).tolist(), (end - base[owner]).tolist(), strict=True)
    likeliest = _likeliest_of_name(
        [(index, low, names[index].of(low, high)) for index, low, high in places], probability
    )
    likely = likeliest >= calibration.mention_threshold
    start, end, owner = start[likely], end[likely], owner[likely]
    probability, likeliest = probability[likely], likeliest[likely]
    results: list[list[tuple[Mention, float]]] = [[] for _ in passages]
    taken = np.zeros(len(words.sentence), bool)
    for index, (passage, document) in enumerate(zip(passages, documents, strict=True)):
        if document.entities is not None:
            continue
        stop = passage.first_word + passage.words
        for mention in document.mentions:
            if passage.first_word <= mention.start and mention.end <= stop:
                results[index].append((mention, 1.0))
                taken[mention.start + base[index] : mention.end + base[index]] = True
    # Given mentions come first, then the likelier span: annotated mentions hardly ever overlap.
    for row in np.lexsort((end, start, -probability)).tolist():
        low, high = int(start[row]), int(end[row])
        if not taken[low:high].any():
            taken[low:high] = True
            index, shift = int(owner[row]), int(base[owner[row]])
            results[index].append((Mention(low - shift, high - shift), float(likeliest[row])))
    for found in results:
        found.sort(key=lambda one: (one[0].start, one[0].end, one[0].kb_ids))
    return (
        [[mention for mention, _ in found] for found in results],
        [np.array([likely for _, likely in found], np.float64) for found in results],
    )


def _likeliest_of_name(places: Sequence[tuple[int, int, str]], probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each span the highest probability of a span of its passage with the same name: shape (n,).

    Args:
        places: passage, first word and name of each span.
        probability: that it is a mention, shape (n,).
    """
    number: dict[tuple[int, int, str], int] = {}
    keys = ((passage, -1 if is_unambiguous(name) else start, name) for passage, start, name in places)
    group = np.array([number.setdefault(key, len(number)) for key in keys], np.int64)
    likeliest = np.zeros(len(number), np.float32)
    np.maximum.at(likeliest, group, probability)
    return likeliest[group]


def check_numbers(scores: torch.Tensor) -> None:
    """Check scores before they meet a threshold: what is no number is below each, and would be taken for nothing found.

    Raises:
        FloatingPointError: one of them is no number.
    """
    if not scores.isfinite().all():
        raise FloatingPointError("the model gave a score that is not a number")
