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

from extractors.jerex import Encoded, Jerex
from extractors.layout import Layout, Words, candidate_spans, lay_out_entities
from extractors.prepare import Prepared
from extractors.sampling import sample_per_group, sample_spans
from schemas import Document, Record, RelationSchema


class Objective(Record, frozen=True):
    """Weights and sample sizes of the joint loss.

    Attributes:
        mention_weight, coreference_weight, type_weight, relation_weight: the betas of equation 13.
        negative_spans, negative_mention_pairs, negative_entity_pairs: negatives per document (N_s, N_c, N_r); None
            takes all, which the batched layout makes affordable.
    """

    mention_weight: float = 1.0
    coreference_weight: float = 1.0
    type_weight: float = 0.25
    relation_weight: float = 1.0
    negative_spans: int | None = 200
    negative_mention_pairs: int | None = 200
    negative_entity_pairs: int | None = 200


@dataclass(frozen=True)
class Example:
    """A prepared document, its entity types by number, and whether its facts take part in the relation loss."""

    prepared: Prepared
    types: tuple[int, ...]
    use_facts: bool = True


def make_example(prepared: Prepared, schema: RelationSchema, use_facts: bool = True) -> Example:
    """Number the entity types of an annotated document.

    Raises:
        ValueError: the document has no annotations, or names a type or relation that the schema lacks.
    """
    document = prepared.document
    if document.entities is None:
        raise ValueError(f"document '{document.id}' has no annotated entities: it cannot be used for training")
    unknown = {fact.relation for fact in document.facts} - schema.index.keys()
    unknown |= {entity.type for entity in document.entities} - set(schema.entity_types)
    if unknown:
        raise ValueError(
            f"document '{document.id}' uses '{min(unknown)}', which relation schema '{schema.name}' does not have"
        )
    return Example(prepared, tuple(schema.entity_types.index(e.type) for e in document.entities), use_facts)


def joint_loss(
    model: Jerex, examples: Sequence[Example], objective: Objective, generator: np.random.Generator
) -> dict[str, Tensor]:
    """Return the four losses and their weighted sum under `total`, each a scalar.

    Every example must have one passage (documents with given entities do) and at least one word.
    """
    encoded = model.encode([example.prepared.passages[0] for example in examples])
    documents = [example.prepared.document for example in examples]
    clusters = [[[(m.start, m.end) for m in e.mentions] for e in d.entities or ()] for d in documents]
    host = lay_out_entities(clusters, encoded.words)
    layout = host.to(encoded.device)
    mentions = model.dropout(encoded.pool(layout.mention_start, layout.mention_end))
    entities = model.entity_vectors(mentions, layout)
    types = encoded.place(np.array([t for example in examples for t in example.types], np.int64))
    losses = {
        "mention": _mention_loss(model, encoded, host, objective.negative_spans, generator),
        "coreference": _coreference_loss(
            model, encoded, mentions, host, documents, objective.negative_mention_pairs, generator
        ),
        "type": _mean(functional.cross_entropy(model.type_logits(entities).float(), types, reduction="none")),
        "relation": _relation_loss(model, encoded, host, mentions, entities, types, examples, objective, generator),
    }
    # Equation 13.
    losses["total"] = (
        objective.mention_weight * losses["mention"]
        + objective.coreference_weight * losses["coreference"]
        + objective.type_weight * losses["type"]
        + objective.relation_weight * losses["relation"]
    )
    return losses


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(1, len(values))


def _mention_loss(
    model: Jerex, encoded: Encoded, layout: Layout, negatives: int | None, generator: np.random.Generator
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
    model: Jerex,
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


def _relation_loss(
    model: Jerex,
    encoded: Encoded,
    layout: Layout,
    mentions: Tensor,
    entities: Tensor,
    types: Tensor,
    examples: Sequence[Example],
    objective: Objective,
    generator: np.random.Generator,
) -> Tensor:
    documents = [example.prepared.document for example in examples]
    targets = relation_targets(layout, documents, model.config.schema.index)
    owner = layout.entity_passage[layout.pairs[:, 0]].numpy()
    used = np.array([example.use_facts for example in examples])[owner]
    related = targets.any(1).numpy()
    chosen = related | sample_per_group(owner, objective.negative_entity_pairs, generator, ~related)
    keep = torch.from_numpy(chosen & used)
    device_layout = layout.with_pairs(layout.pairs[keep]).to(encoded.device)
    logits = model.relation_logits(encoded, device_layout, mentions, entities, types)
    target = targets[keep].to(encoded.device)
    losses = functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return _mean(losses.sum(1))
