"""From the network's scores to entities and facts of passages (section 3.1, in the order of its components)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from extractors.clustering import cluster, constrain
from extractors.confidence import Calibration
from extractors.contexts import context_vectors
from extractors.encoded import Encoded
from extractors.evidence import evidence_sentences
from extractors.heads import EntityPairs
from extractors.layout import Layout, candidate_spans, grid_shape, lay_out_entities
from extractors.network import Network
from extractors.objective import edit_distances, entity_spans
from extractors.prepare import Passage
from schemas import Document, Entity, Fact, Mention


@dataclass(frozen=True)
class PassageFacts:
    """Entities and facts of one passage; positions count over the document. Every entity has a context vector."""

    entities: list[Entity]
    facts: list[Fact]
    contexts: list[NDArray[np.int64]]


def decode(
    model: Network, calibration: Calibration, passages: Sequence[Passage], documents: Sequence[Document]
) -> list[PassageFacts]:
    """Extract entities and facts from a batch of passages, each with the document it belongs to.

    Raises:
        ValueError: the network needs given entities and a document has none.
    """
    schema = model.config.schema
    if not model.config.joint:
        passages = [_with_entities(model, p, d) for p, d in zip(passages, documents, strict=True)]
    encoded = model.encode(passages)
    entities = _find_entities(model, calibration, encoded, passages, documents)
    spans = [
        [[(m.start - p.first_word, m.end - p.first_word) for m in entity.mentions] for entity in found]
        for p, found in zip(passages, entities, strict=True)
    ]
    results: list[PassageFacts] = [PassageFacts([], [], []) for _ in passages]
    # Passages of one grid shape share a forward pass: what is found in one does not depend on the others, to the bit.
    shapes = [grid_shape(len(p.pieces), len(found)) for p, found in zip(passages, entities, strict=True)]
    for shape in sorted(set(shapes)):
        chosen = [found if s == shape else [] for s, found in zip(shapes, entities, strict=True)]
        host = lay_out_entities(
            [clusters if s == shape else [] for s, clusters in zip(shapes, spans, strict=True)], encoded.words
        )
        layout = host.to(encoded.device)
        mentions = model.mention_vectors(encoded, layout)
        pairs = EntityPairs(encoded, layout, mentions, layout.entity_passage)
        types = _types(model, pairs, [entity for found in chosen for entity in found])
        pairs = replace(pairs, types=torch.tensor(types, dtype=torch.long, device=encoded.device))
        typed, seen = iter(types), iter(context_vectors(pairs))
        for result, found in zip(results, chosen, strict=True):
            result.entities.extend(structs.replace(e, type=schema.entity_types[next(typed)]) for e in found)
            result.contexts.extend(next(seen) for _ in found)
        _find_facts(model, calibration, pairs, host, passages, documents, results)
    return results


def _with_entities(model: Network, passage: Passage, document: Document) -> Passage:
    """Return the passage of a document with its given entities told to the network."""
    if document.entities is None:
        raise ValueError(
            f"document '{document.id}' has no entities, and this checkpoint does not find any: use a joint checkpoint"
        )
    known = model.config.schema.entity_types
    types = [known.index(e.type) if e.type in known else -1 for e in document.entities]
    return model.tell_entities(passage, entity_spans(document), types)


def _types(model: Network, pairs: EntityPairs, entities: Sequence[Entity]) -> list[int]:
    """Return the type of each entity by number: the given one where the schema knows it, else the predicted one."""
    known = model.config.schema.entity_types
    predicted = model.type_logits(pairs.entities).argmax(1).tolist() if model.config.joint else [0] * len(entities)
    return [known.index(e.type) if e.type in known else p for e, p in zip(entities, predicted, strict=True)]


def _find_facts(
    model: Network,
    calibration: Calibration,
    pairs: EntityPairs,
    host: Layout,
    passages: Sequence[Passage],
    documents: Sequence[Document],
    results: list[PassageFacts],
) -> None:
    """Add the facts above the threshold to the results of their passages."""
    schema = model.config.schema
    allowed = model.allowed_pairs[pairs.types.cpu()[host.pairs[:, 0]], pairs.types.cpu()[host.pairs[:, 1]]]
    possible = allowed.any(1)
    host = host.with_pairs(host.pairs[possible])
    if not len(host.pairs):
        return
    pairs = pairs.with_pairs(host.pairs.to(pairs.mentions.device))
    scores = model.relation_scores(pairs).double().cpu()
    _check_numbers(scores)
    relations = tuple(schema.index)
    probability = np.zeros(scores.shape)
    kept = allowed[possible].numpy()
    entities_given = np.array([document.entities is not None for document in documents])
    pair_given = entities_given[host.entity_passage[host.pairs[:, 0]].numpy()]
    for given in np.unique(pair_given).tolist():
        part, rows = calibration.relating(given), pair_given == given
        probability[rows] = part.probabilities(scores[rows].numpy(), relations)
        kept[rows] &= probability[rows] >= part.cuts(relations)
    pair, relation = torch.from_numpy(np.stack(kept.nonzero()))
    if not len(pair):
        return
    support = evidence_sentences(pairs.with_pairs(pairs.layout.pairs[pair]), calibration.evidence_threshold)
    first_entity = torch.searchsorted(host.entity_passage, torch.arange(len(passages))).tolist()
    for row, (p, r) in enumerate(zip(pair.tolist(), relation.tolist(), strict=True)):
        head, tail = host.pairs[p].tolist()
        passage = int(host.entity_passage[head])
        base = first_entity[passage]
        first_sentence = int(passages[passage].sentences[0])
        evidence = tuple(first_sentence + sentence for sentence in support[row])
        results[passage].facts.append(
            Fact(head - base, relations[r], tail - base, probability=float(probability[p, r]), evidence=evidence)
        )


def _find_entities(
    model: Network,
    calibration: Calibration,
    encoded: Encoded,
    passages: Sequence[Passage],
    documents: Sequence[Document],
) -> list[list[Entity]]:
    """Return the entities of each passage: the given ones, or clusters of given and predicted mentions."""
    if all(document.entities is not None for document in documents):
        return [list(document.entities or ()) for document in documents]
    mentions = _find_mentions(model, calibration, encoded, passages, documents)
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
    texts = [
        document.span_text(m.start, m.end) for document, found in zip(documents, mentions, strict=True) for m in found
    ]
    similarity = np.zeros(0)
    if len(first):
        vectors = encoded.pool(encoded.place(starts + base), encoded.place(ends + base))
        distances = encoded.place(edit_distances(texts, first, second))
        logits = model.coreference_logits(vectors, encoded.place(first), encoded.place(second), distances)
        _check_numbers(logits)
        similarity = torch.sigmoid(logits.float()).double().cpu().numpy()
    results: list[list[Entity]] = []
    pair_counts = counts * (counts - 1) // 2
    pair_offset = np.cumsum(pair_counts) - pair_counts
    for index, document in enumerate(documents):
        if document.entities is not None:
            results.append(list(document.entities))
            continue
        found = mentions[index]
        matrix = np.eye(len(found))
        upper = np.triu_indices(len(found), 1)
        matrix[upper] = similarity[pair_offset[index] : pair_offset[index] + pair_counts[index]]
        matrix.T[upper] = matrix[upper]
        constrain(matrix, found)
        groups = [[found[i] for i in group] for group in cluster(matrix, calibration.coreference_threshold)]
        results.append([_entity(group) for group in groups])
    return results


def _entity(mentions: list[Mention]) -> Entity:
    """Return the entity of a cluster; an empty type is filled in by the type classifier."""
    kb_ids = tuple(sorted({kb_id for mention in mentions for kb_id in mention.kb_ids}))
    types = sorted(mention.type for mention in mentions if mention.type)
    return Entity(tuple(mentions), max(types, key=types.count, default=""), kb_ids)


def _find_mentions(
    model: Network,
    calibration: Calibration,
    encoded: Encoded,
    passages: Sequence[Passage],
    documents: Sequence[Document],
) -> list[list[Mention]]:
    """Return the mentions of passages whose entities are not given, in text order."""
    words = encoded.words
    open_passages = np.array([document.entities is None for document in documents])
    start, end = candidate_spans(words, model.config.longest_mention)
    searched = open_passages[words.passage[start]]
    start, end = start[searched], end[searched]
    probability: NDArray[np.float32] = np.zeros(0, np.float32)
    if len(start):
        logits = model.mention_logits(encoded, encoded.place(start), encoded.place(end))
        _check_numbers(logits)
        probability = torch.sigmoid(logits.float()).cpu().numpy()
    likely = probability >= calibration.mention_threshold
    start, end, probability = start[likely], end[likely], probability[likely]
    results: list[list[Mention]] = [[] for _ in passages]
    taken = np.zeros(len(words.sentence), bool)
    for index, (passage, document) in enumerate(zip(passages, documents, strict=True)):
        if document.entities is not None:
            continue
        base = int(words.first[index]) - passage.first_word
        stop = passage.first_word + passage.words
        for mention in document.mentions:
            if passage.first_word <= mention.start and mention.end <= stop:
                results[index].append(mention)
                taken[mention.start + base : mention.end + base] = True
    # Given mentions come first, then the likelier span: annotated mentions hardly ever overlap.
    for row in np.lexsort((end, start, -probability)).tolist():
        low, high = int(start[row]), int(end[row])
        if not taken[low:high].any():
            taken[low:high] = True
            index = int(words.passage[low])
            base = int(words.first[index]) - passages[index].first_word
            results[index].append(Mention(low - base, high - base))
    for found in results:
        found.sort(key=lambda mention: (mention.start, mention.end, mention.kb_ids))
    return results


def _check_numbers(scores: torch.Tensor) -> None:
    """Check scores before they meet a threshold: what is no number is below each, and would be taken for nothing found.

    Raises:
        FloatingPointError: one of them is no number.
    """
    if not scores.isfinite().all():
        raise FloatingPointError("the model gave a score that is not a number")
