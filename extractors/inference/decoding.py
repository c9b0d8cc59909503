"""Decode the network's scores to entities and facts of passages (section 3.1, in the order of its components)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray
from torch import Tensor

from extractors.encoder.featurizer import Passage
from extractors.encoder.layout import Layout, grid_shape, lay_out_entities
from extractors.heads import EntityPairs
from extractors.inference.confidence import Calibration
from extractors.inference.entity_confidence import EntityConfidence, type_features
from extractors.inference.found_entities import FoundEntity, check_numbers, find_entities
from extractors.network.evidence import evidence_sentences
from extractors.network.examples import entity_spans
from extractors.network.network import Network
from schemas import Document, Entity, Fact, RelationSchema


@dataclass(frozen=True)
class PassageFacts:
    """Entities and facts of one passage; positions count over the document.

    Attributes:
        entities, facts: what was found.
        entity_features: four features of the confidence in every entity, see `entity_confidence.py`.
    """

    entities: list[Entity]
    facts: list[Fact]
    entity_features: list[NDArray[np.float64]]


def decode(
    model: Network,
    calibration: Calibration,
    passages: Sequence[Passage],
    documents: Sequence[Document],
    facts: bool = True,
) -> list[PassageFacts]:
    """Extract entities and, if wanted, facts from a batch of passages, each with the document it belongs to.

    Raises:
        ValueError: the network needs given entities and a document has none.
    """
    schema = model.config.schema
    if not model.config.joint:
        passages = [_with_entities(model, p, d) for p, d in zip(passages, documents, strict=True)]
    encoded = model.encode(passages)
    entities = find_entities(model, calibration, encoded, passages, documents)
    spans = [
        [[(m.start - p.first_word, m.end - p.first_word) for m in one.entity.mentions] for one in found]
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
        pairs = model(encoded, host, _known_types(schema, [one.entity for found in chosen for one in found]))
        entity_features = _confidence_features([one for found in chosen for one in found], pairs)
        typed, features = iter(pairs.types.tolist()), iter(entity_features)
        for result, found in zip(results, chosen, strict=True):
            result.entities.extend(structs.replace(one.entity, type=schema.entity_types[next(typed)]) for one in found)
            result.entity_features.extend(next(features) for _ in found)
        if facts:
            _find_facts(model, calibration, pairs, host, entity_features, passages, documents, results)
    return results


def _with_entities(model: Network, passage: Passage, document: Document) -> Passage:
    """Return the passage of a document with its given entities marked, if the network reads marks."""
    if document.entities is None:
        raise ValueError(
            f"document '{document.id}' has no entities, and this checkpoint does not find any: use a joint checkpoint"
        )
    types = _known_types(model.config.schema, document.entities).tolist()
    return model.mark_entities(passage, entity_spans(document), types)


def _known_types(schema: RelationSchema, entities: Sequence[Entity]) -> Tensor:
    """Return the number of the type of each entity, -1 where it has none that the schema knows: shape (e,)."""
    number = {name: at for at, name in enumerate(schema.entity_types)}
    return torch.tensor([number.get(entity.type, -1) for entity in entities], dtype=torch.long)


def _confidence_features(found: Sequence[FoundEntity], pairs: EntityPairs) -> NDArray[np.float64]:
    """Return the four features of the confidence in each entity: shape (e, 4)."""
    features = np.array([one.features for one in found], np.float64).reshape(-1, 3)
    return np.column_stack([features, type_features(pairs.type_probability.cpu().numpy())])


def _find_facts(
    model: Network,
    calibration: Calibration,
    pairs: EntityPairs,
    host: Layout,
    entity_features: NDArray[np.float64],
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
    check_numbers(scores)
    scores = scores.masked_fill(~allowed[possible], torch.nan)  # which is above no cut
    relations = tuple(schema.index)
    entities_given = np.array([document.entities is not None for document in documents])
    pair_given = entities_given[host.entity_passage[host.pairs[:, 0]].numpy()]
    confidence = calibration.entities or EntityConfidence()
    entity_probability = confidence.probabilities(entity_features)[host.pairs.numpy()].prod(1)
    parts = []
    for given in np.unique(pair_given).tolist():
        rows = np.flatnonzero(pair_given == given)
        row, *columns = calibration.facts(scores[rows].numpy(), relations, None if given else entity_probability[rows])
        parts.append((rows[row], *columns))
    pair, relation, probability = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not len(pair):
        return
    chosen = pairs.layout.pairs[torch.from_numpy(pair).to(pairs.layout.pairs.device)]
    support = evidence_sentences(pairs.with_pairs(chosen), calibration.evidence_threshold)
    first_entity = torch.searchsorted(host.entity_passage, torch.arange(len(passages))).tolist()
    facts = (host.pairs[pair].tolist(), relation.tolist(), probability.tolist(), support)
    for (head, tail), number, certainty, sentences in zip(*facts, strict=True):
        passage = int(host.entity_passage[head])
        base = first_entity[passage]
        first_sentence = int(passages[passage].sentences[0])
        evidence = tuple(first_sentence + sentence for sentence in sentences)
        results[passage].facts.append(Fact(head - base, relations[number], tail - base, certainty, evidence))
