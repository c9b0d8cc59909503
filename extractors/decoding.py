"""From the network's scores to entities and facts of passages (section 3.1, in the order of its components)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import Tensor

from extractors.checkpoint import Calibration
from extractors.clustering import cluster, constrain
from extractors.jerex import Encoded, Jerex
from extractors.layout import Layout, candidate_spans, lay_out_entities, mention_pairs
from extractors.objective import edit_distances
from extractors.prepare import Passage
from schemas import Document, Entity, Fact, Mention, RelationSchema


@dataclass(frozen=True)
class PassageFacts:
    """Entities and facts of one passage; positions count over the document."""

    entities: list[Entity]
    facts: list[Fact]


def decode(
    model: Jerex, calibration: Calibration, passages: Sequence[Passage], documents: Sequence[Document]
) -> list[PassageFacts]:
    """Extract entities and facts from a batch of passages, each with the document it belongs to."""
    encoded = model.encode(passages)
    entities = _find_entities(model, calibration, encoded, passages, documents)
    spans = [
        [[(m.start - p.first_word, m.end - p.first_word) for m in entity.mentions] for entity in found]
        for p, found in zip(passages, entities, strict=True)
    ]
    host = lay_out_entities(spans, encoded.words)
    layout = host.to(encoded.device)
    mentions = encoded.pool(layout.mention_start, layout.mention_end)
    vectors = model.entity_vectors(mentions, layout)
    schema = model.config.schema
    flat = [entity for found in entities for entity in found]
    predicted = model.type_logits(vectors).argmax(1).tolist()
    types = [
        schema.entity_types.index(e.type) if e.type in schema.entity_types else p
        for e, p in zip(flat, predicted, strict=True)
    ]
    typed = iter([replace(e, type=schema.entity_types[t]) for e, t in zip(flat, types, strict=True)])
    results = [PassageFacts([next(typed) for _ in found], []) for found in entities]
    type_numbers = torch.tensor(types, dtype=torch.long)
    allowed = _allowed_pairs(schema, type_numbers, host.pairs)
    host = host.with_pairs(host.pairs[allowed.any(1)])
    if not len(host.pairs):
        return results
    layout = host.to(encoded.device)
    logits = model.relation_logits(encoded, layout, mentions, vectors, type_numbers.to(encoded.device)).float().cpu()
    if not logits.isfinite().all():
        raise FloatingPointError("the model gave a score that is not a number")
    probability = torch.sigmoid(calibration.scale * logits + calibration.bias)
    probability = probability.masked_fill(~allowed[allowed.any(1)], 0.0)
    pair, relation = (probability >= calibration.relation_threshold).nonzero().unbind(1)
    evidence = _evidence(host.with_pairs(host.pairs[pair]), encoded, passages)
    first_entity = np.cumsum([0] + [len(found) for found in entities])
    for row, (p, r) in enumerate(zip(pair.tolist(), relation.tolist(), strict=True)):
        head, tail = host.pairs[p].tolist()
        passage = int(host.entity_passage[head])
        base = int(first_entity[passage])
        # Four decimals: finer differences have no meaning.
        value = round(float(probability[p, r]), 4)
        results[passage].facts.append(
            Fact(head - base, schema.relations[r].id, tail - base, probability=value, evidence=evidence[row])
        )
    return results


def _find_entities(
    model: Jerex,
    calibration: Calibration,
    encoded: Encoded,
    passages: Sequence[Passage],
    documents: Sequence[Document],
) -> list[list[Entity]]:
    """Return the entities of each passage: the given ones, or clusters of given and predicted mentions."""
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
    model: Jerex,
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


def _allowed_pairs(schema: RelationSchema, types: Tensor, pairs: Tensor) -> Tensor:
    """Return which relations each pair may have by the schema's type pairs: shape (n, relations)."""
    count = len(schema.entity_types)
    table = torch.ones(count, count, len(schema.relations), dtype=torch.bool)
    for column, relation in enumerate(schema.relations):
        if relation.types:
            table[:, :, column] = False
            for head, tail in relation.types:
                table[schema.entity_types.index(head), schema.entity_types.index(tail), column] = True
    return table[types[pairs[:, 0]], types[pairs[:, 1]]]


def _evidence(layout: Layout, encoded: Encoded, passages: Sequence[Passage]) -> list[tuple[int, ...]]:
    """Return the sentences of the closest mention pair of each pair of the layout, counted over the document."""
    if not len(layout.pairs):
        return []
    s1, s2, first, _ = (tensor.numpy() for tensor in mention_pairs(layout))
    start, end = layout.mention_start.numpy(), layout.mention_end.numpy()
    sentence = encoded.words.sentence
    gap = np.maximum(start[s1], start[s2]) - np.minimum(end[s1], end[s2])
    # A shared sentence beats closeness across a sentence end; the earliest pair breaks ties.
    apart = sentence[start[s1]] != sentence[start[s2]]
    key = (apart * (1 << 20) + np.maximum(gap, 0)) * len(s1) + np.arange(len(s1))
    best = np.minimum.reduceat(key, first) % len(s1)
    in_document = np.concatenate([passage.sentences for passage in passages])
    pairs_of_sentences = np.sort(np.stack([in_document[start[s1[best]]], in_document[start[s2[best]]]], 1), axis=1)
    return [tuple(sorted(set(row))) for row in pairs_of_sentences.tolist()]
