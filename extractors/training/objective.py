"""The joint training objective (section 3.2, equation 13) on batches of annotated documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from extractors.encoder.encoder_output import EncodedPassages
from extractors.encoder.layout import Layout, Words, candidate_spans, lay_out_entities, lay_out_words
from extractors.heads import EntityPairs
from extractors.heads.losses import binary_cross_entropy, mean
from extractors.network.evidence import evidence_loss
from extractors.network.examples import Example, entity_spans, relation_targets
from extractors.network.name_matching import Names, edit_distances
from extractors.network.network import Network
from extractors.recipes.recipe import Objective
from extractors.training.sampling import sample_per_group, sample_spans
from schemas import Document

# Two sides of each sampled item, and whether it is a positive one.
Sampled = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Batch:
    """Annotated documents and what was drawn from them for the losses, before the network reads them.

    Attributes:
        examples: the documents.
        layout: their entities and all pairs, on the host.
        pairs: the pairs of the relation loss, shape (n, 2).
        targets: the probability of each relation, 1 for annotated ones, shape (n, relations).
        soft: which of them are learned with their probabilities, shape (n,).
        spans: start and end of candidate mentions; none if the network only relates.
        mention_pairs: both mentions of candidates for coreference; none if the network only relates.
        typed: the entities whose types are learned.
    """

    examples: Sequence[Example]
    layout: Layout
    pairs: Tensor
    targets: Tensor
    soft: Tensor
    spans: Sampled
    mention_pairs: Sampled
    typed: np.ndarray

    @property
    def documents(self) -> list[Document]:
        """The documents."""
        return [example.document for example in self.examples]


def draw_batch(
    model: Network, examples: Sequence[Example], objective: Objective, generator: np.random.Generator
) -> Batch:
    """Draw what the losses look at; every example must have one passage and at least one word."""
    words = lay_out_words([example.passage for example in examples])
    documents = [example.document for example in examples]
    layout = lay_out_entities([entity_spans(document) for document in documents], words)
    pairs, targets, soft = _draw_pairs(model, layout, examples, objective, generator)
    spans = mention_pairs = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))
    if model.config.joint:
        spans = _draw_spans(words, layout, model.config.longest_mention, objective.negative_spans, generator)
        mention_pairs = _draw_mention_pairs(layout, objective.negative_mention_pairs, generator)
    learned = np.array([example.use_entities for example in examples])
    owner = layout.entity_passage.numpy()
    spans = _where(spans, learned[words.passage[spans[0]]])
    mention_pairs = _where(mention_pairs, learned[owner[layout.mention_entity.numpy()[mention_pairs[0]]]])
    typed = np.flatnonzero(learned[owner])
    return Batch(examples, layout, pairs, targets, soft, spans, mention_pairs, typed)


def _where(sampled: Sampled, kept: np.ndarray) -> Sampled:
    first, second, positive = sampled
    return first[kept], second[kept], positive[kept]


def joint_loss(model: Network, batch: Batch, objective: Objective) -> dict[str, Tensor]:
    """Return the losses and their weighted sum under `total`, each a scalar.

    Args:
        model: the network.
        batch: the documents.
        objective: the weights.
    """
    passages = [example.passage for example in batch.examples]
    types = torch.tensor([number for example in batch.examples for number in example.types], dtype=torch.long)
    pairs = model(passages, batch.layout, types)
    losses: dict[str, Tensor] = {}
    weights: dict[str, float] = {}
    if objective.evidence_weight:
        losses["evidence"] = evidence_loss(pairs, batch.documents)
        weights["evidence"] = objective.evidence_weight
    for name, value in _relation_losses(model, pairs, batch).items():
        losses[name] = value
        weights[name] = objective.relation_weight
    if model.config.joint:
        losses["mention"] = _mention_loss(model, pairs.encoded, batch.spans)
        losses["coreference"] = _coreference_loss(model, pairs, batch)
        typed = pairs.encoded.to_device(batch.typed)
        type_logits = model.type_logits(pairs.entities[typed]).float()
        type_losses = functional.cross_entropy(type_logits, pairs.types[typed], reduction="none")
        losses["type"] = mean(type_losses)
        weights |= {
            "mention": objective.mention_weight,
            "coreference": objective.coreference_weight,
            "type": objective.type_weight,
        }
    # Equation 13.
    losses["total"] = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
    return losses


def _draw_spans(
    words: Words, layout: Layout, longest: int, negatives: int | None, generator: np.random.Generator
) -> Sampled:
    start, end = candidate_spans(words, longest)
    count = len(words.sentence) + 1
    gold_start, gold_end = layout.mention_start.numpy(), layout.mention_end.numpy()
    positive = np.isin(start * count + end, gold_start * count + gold_end)
    inside = _inside_mention(start, end, gold_start, gold_end, words)
    group = words.passage[start]
    chosen = positive | sample_spans(group, inside, ~positive, negatives, generator)
    return start[chosen], end[chosen], positive[chosen]


def _mention_loss(model: Network, encoded: EncodedPassages, spans: Sampled) -> Tensor:
    start, end, positive = spans
    logits = model.mention_logits(encoded, encoded.to_device(start), encoded.to_device(end))
    return mean(_cross_entropy(logits, positive))


def _cross_entropy(logits: Tensor, positive: np.ndarray) -> Tensor:
    target = torch.from_numpy(positive.astype(np.float32)).to(logits.device)
    return functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")


def _inside_mention(
    start: np.ndarray, end: np.ndarray, gold_start: np.ndarray, gold_end: np.ndarray, words: Words
) -> np.ndarray:
    """Return which spans lie inside a mention: the farthest end of a mention open at the start reaches their end."""
    reach = np.zeros(len(words.sentence), np.int64)
    np.maximum.at(reach, gold_start, gold_end)
    inside: np.ndarray = np.maximum.accumulate(reach)[start] >= end
    return inside


def _draw_mention_pairs(layout: Layout, negatives: int | None, generator: np.random.Generator) -> Sampled:
    owner = layout.entity_passage[layout.mention_entity]
    same = owner[:, None] == owner[None, :]
    # Mentions in text order, so that a pair looks the same here and where clusters are predicted.
    position = layout.mention_start * (int(layout.mention_end.max()) + 1) + layout.mention_end if len(owner) else owner
    ordered = position[:, None] < position[None, :]
    first, second = (same & ordered).nonzero().unbind(1)
    positive = (layout.mention_entity[first] == layout.mention_entity[second]).numpy()
    chosen = positive | sample_per_group(owner[first].numpy(), negatives, generator, ~positive)
    return first.numpy()[chosen], second.numpy()[chosen], positive[chosen]


def _coreference_loss(model: Network, pairs: EntityPairs, batch: Batch) -> Tensor:
    encoded = pairs.encoded
    left, right, positive = batch.mention_pairs
    names = [
        name.of(m.start, m.end)
        for example in batch.examples
        for name in [Names(example.document, example.passage)]
        for entity in example.document.entities or ()
        for m in entity.mentions
    ]
    distance = encoded.to_device(edit_distances(names, left, right))
    logits = model.coreference_logits(pairs.mentions, encoded.to_device(left), encoded.to_device(right), distance)
    return mean(_cross_entropy(logits, positive))


def _draw_pairs(
    model: Network,
    layout: Layout,
    examples: Sequence[Example],
    objective: Objective,
    generator: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pairs of the relation loss, their targets, and which of them have soft labels."""
    targets = relation_targets(layout, [example.document for example in examples], model.config.schema.index)
    owner = layout.entity_passage[layout.pairs[:, 0]].numpy()
    used = np.array([example.use_facts for example in examples])[owner]
    related = targets.any(1).numpy()
    complete = np.array([example.complete for example in examples])[owner]
    soft = np.array([example.soft_labels for example in examples])[owner]
    negative = complete | (generator.random(len(owner)) < objective.negative_share)
    sampled = sample_per_group(owner, objective.negative_entity_pairs, generator, ~related)
    chosen = torch.from_numpy((related | (sampled & negative)) & used)
    return layout.pairs[chosen], targets[chosen], torch.from_numpy(soft)[chosen]


def _relation_losses(model: Network, pairs: EntityPairs, batch: Batch) -> dict[str, Tensor]:
    device = pairs.encoded.device
    soft = batch.soft.to(device)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        values = model.loss.per_pair(logits, targets)
        if not batch.soft.any():
            return values
        # Soft labels are learned by cross entropy: the other loss of the pair is replaced, and so is its gradient.
        scores = model.loss.scores(logits)
        return values.masked_scatter(soft, binary_cross_entropy(scores[soft], targets[soft]))

    return model.relation_head.losses(pairs.with_pairs(batch.pairs.to(device)), loss, batch.targets.to(device))
