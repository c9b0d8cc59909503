"""The joint training objective (section 3.2, equation 13) on batches of annotated documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist
from torch import Tensor
from torch.nn import functional

from extractors.encoded import Encoded
from extractors.evidence import evidence_loss
from extractors.heads import EntityPairs
from extractors.layout import Layout, Words, candidate_spans, lay_out_entities
from extractors.network import Network
from extractors.prepare import Passage, Prepared
from extractors.sampling import sample_per_group, sample_spans
from schemas import Document, Record


class Objective(Record, frozen=True):
    """Weights and sample sizes of the joint loss.

    Attributes:
        mention_weight, coreference_weight, type_weight, relation_weight: the betas of equation 13.
        evidence_weight: weight of the evidence loss, for facts whose evidence is annotated.
        negative_share: share of the unrelated pairs of incompletely labelled documents that are taken as negatives.
        negative_spans, negative_mention_pairs, negative_entity_pairs: negatives per document (N_s, N_c, N_r); None
            takes all, which the batched layout makes affordable.
    """

    mention_weight: float = 1.0
    coreference_weight: float = 1.0
    type_weight: float = 0.25
    relation_weight: float = 1.0
    evidence_weight: float = 0.0
    negative_share: float = 1.0
    negative_spans: int | None = 200
    negative_mention_pairs: int | None = 200
    negative_entity_pairs: int | None = 200


@dataclass(frozen=True)
class Example:
    """An annotated document as a network reads it.

    Attributes:
        document: the document.
        passage: all of it.
        types: its entity types by number.
        use_facts: whether its facts take part in the relation loss.
        complete: whether all its facts are annotated, so that other pairs are surely unrelated.
    """

    document: Document
    passage: Passage
    types: tuple[int, ...]
    use_facts: bool = True
    complete: bool = True


def make_example(model: Network, prepared: Prepared, use_facts: bool = True, complete: bool = True) -> Example:
    """Number the entity types of an annotated document and tell its entities to the network.

    Raises:
        ValueError: the document has no annotations, or names a type or relation that the schema lacks.
    """
    document, schema = prepared.document, model.config.schema
    if document.entities is None:
        raise ValueError(f"document '{document.id}' has no annotated entities: it cannot be used for training")
    unknown = {fact.relation for fact in document.facts} - schema.index.keys()
    unknown |= {entity.type for entity in document.entities} - set(schema.entity_types)
    if unknown:
        raise ValueError(
            f"document '{document.id}' uses '{min(unknown)}', which relation schema '{schema.name}' does not have"
        )
    types = tuple(schema.entity_types.index(e.type) for e in document.entities)
    passage = model.tell_entities(prepared.passages[0], entity_spans(document), types)
    return Example(document, passage, types, use_facts, complete)


def entity_spans(document: Document) -> list[list[tuple[int, int]]]:
    """Return the mentions of every given entity of a document."""
    return [[(m.start, m.end) for m in entity.mentions] for entity in document.entities or ()]


def joint_loss(
    model: Network, examples: Sequence[Example], objective: Objective, generator: np.random.Generator
) -> dict[str, Tensor]:
    """Return the losses and their weighted sum under `total`, each a scalar.

    Every example must have one passage (documents with given entities do) and at least one word.
    """
    encoded = model.encode([example.passage for example in examples])
    documents = [example.document for example in examples]
    host = lay_out_entities([entity_spans(document) for document in documents], encoded.words)
    layout = host.to(encoded.device)
    mentions = model.dropout(model.mention_vectors(encoded, layout))
    types = encoded.place(np.array([t for example in examples for t in example.types], np.int64))
    pairs = EntityPairs(encoded, layout, mentions, types)
    losses: dict[str, Tensor] = {}
    weights: dict[str, float] = {}
    if objective.evidence_weight:
        losses["evidence"] = evidence_loss(pairs, documents)
        weights["evidence"] = objective.evidence_weight
    relation = _relation_losses(model, pairs, host, examples, objective, generator)
    losses |= relation
    weights |= dict.fromkeys(relation, objective.relation_weight)
    if model.config.joint:
        losses["mention"] = _mention_loss(model, encoded, host, objective.negative_spans, generator)
        losses["coreference"] = _coreference_loss(
            model, encoded, mentions, host, documents, objective.negative_mention_pairs, generator
        )
        type_losses = functional.cross_entropy(model.type_logits(pairs.entities).float(), types, reduction="none")
        losses["type"] = _mean(type_losses)
        weights |= {
            "mention": objective.mention_weight,
            "coreference": objective.coreference_weight,
            "type": objective.type_weight,
        }
    # Equation 13.
    losses["total"] = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
    return losses


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(1, len(values))


def _mention_loss(
    model: Network, encoded: Encoded, layout: Layout, negatives: int | None, generator: np.random.Generator
) -> Tensor:
    words = encoded.words
    start, end = candidate_spans(words, model.config.longest_mention)
    count = len(words.sentence) + 1
    gold_start, gold_end = layout.mention_start.numpy(), layout.mention_end.numpy()
    positive = np.isin(start * count + end, gold_start * count + gold_end)
    inside = _inside_mention(start, end, gold_start, gold_end, words)
    group = words.passage[start]
    chosen = positive | sample_spans(group, inside, ~positive, negatives, generator)
    logits = model.mention_logits(encoded, encoded.place(start[chosen]), encoded.place(end[chosen]))
    target = torch.from_numpy(positive[chosen].astype(np.float32)).to(encoded.device)
    return _mean(functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none"))


def _inside_mention(
    start: np.ndarray, end: np.ndarray, gold_start: np.ndarray, gold_end: np.ndarray, words: Words
) -> np.ndarray:
    """Return which spans lie inside a mention: the farthest end of a mention open at the start reaches their end."""
    reach = np.zeros(len(words.sentence), np.int64)
    np.maximum.at(reach, gold_start, gold_end)
    inside: np.ndarray = np.maximum.accumulate(reach)[start] >= end
    return inside


def edit_distances(texts: Sequence[str], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Levenshtein distances of pairs of mention texts, ignoring case; the same in training and inference."""
    folded = np.array([text.casefold() for text in texts], dtype=object)
    if not len(first):
        return np.zeros(0, np.int64)
    distances = cpdist(folded[first].tolist(), folded[second].tolist(), scorer=Levenshtein.distance)
    return np.asarray(distances, np.int64)


def _coreference_loss(
    model: Network,
    encoded: Encoded,
    mentions: Tensor,
    layout: Layout,
    documents: Sequence[Document],
    negatives: int | None,
    generator: np.random.Generator,
) -> Tensor:
    owner = layout.entity_passage[layout.mention_entity]
    same = owner[:, None] == owner[None, :]
    # Mentions in text order, so that a pair looks the same here and where clusters are predicted.
    position = layout.mention_start * (int(layout.mention_end.max()) + 1) + layout.mention_end if len(owner) else owner
    ordered = position[:, None] < position[None, :]
    first, second = (same & ordered).nonzero().unbind(1)
    positive = (layout.mention_entity[first] == layout.mention_entity[second]).numpy()
    chosen = positive | sample_per_group(owner[first].numpy(), negatives, generator, ~positive)
    texts = [d.span_text(m.start, m.end) for d in documents for e in d.entities or () for m in e.mentions]
    left, right = first.numpy()[chosen], second.numpy()[chosen]
    distance = encoded.place(edit_distances(texts, left, right))
    logits = model.coreference_logits(mentions, encoded.place(left), encoded.place(right), distance)
    target = torch.from_numpy(positive[chosen].astype(np.float32)).to(encoded.device)
    return _mean(functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none"))


def relation_targets(layout: Layout, documents: Sequence[Document], relations: dict[str, int]) -> Tensor:
    """Return the annotated relations of every pair of the layout: shape (pairs, relations), 0 or 1."""
    entity_counts = [len(document.entities or ()) for document in documents]
    offset = np.cumsum([0, *entity_counts])
    facts = np.array(
        [
            (offset[i] + fact.head, offset[i] + fact.tail, relations[fact.relation])
            for i, document in enumerate(documents)
            for fact in document.facts
            if fact.head != fact.tail
        ],
        np.int64,
    ).reshape(-1, 3)
    total = int(offset[-1])
    pairs = layout.pairs.numpy()
    # Pairs are sorted by (head, tail).
    row = np.searchsorted(pairs[:, 0] * total + pairs[:, 1], facts[:, 0] * total + facts[:, 1])
    targets = torch.zeros(len(pairs), len(relations))
    targets[torch.from_numpy(row), torch.from_numpy(facts[:, 2])] = 1.0
    return targets


def _relation_losses(
    model: Network,
    pairs: EntityPairs,
    host: Layout,
    examples: Sequence[Example],
    objective: Objective,
    generator: np.random.Generator,
) -> dict[str, Tensor]:
    targets = relation_targets(host, [example.document for example in examples], model.config.schema.index)
    owner = host.entity_passage[host.pairs[:, 0]].numpy()
    used = np.array([example.use_facts for example in examples])[owner]
    related = targets.any(1).numpy()
    sure = np.array([example.complete for example in examples])[owner]
    sure |= generator.random(len(owner)) < objective.negative_share
    chosen = related | (sample_per_group(owner, objective.negative_entity_pairs, generator, ~related) & sure)
    keep = torch.from_numpy(chosen & used)
    kept = pairs.with_pairs(host.pairs[keep].to(pairs.encoded.device))
    return model.relation_head.losses(kept, model.loss.per_pair, targets[keep].to(pairs.encoded.device))
