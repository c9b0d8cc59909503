"""Annotated documents as a network reads them, and the relations that they annotate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from extractors.encoder.featurizer import Features, Passage
from extractors.encoder.layout import Layout
from extractors.network.network import Network
from schemas import Document


@dataclass(frozen=True)
class Example:
    """An annotated document as a network reads it.

    Attributes:
        document: the document.
        passage: all of it.
        types: its entity types by number.
        use_facts: whether its facts take part in the relation loss.
        complete: whether all its facts are annotated, so that other pairs are unrelated.
        soft_labels: whether its facts have probabilities, which are learned as they are.
        use_entities: whether its mentions, clusters and types are learned.
    """

    document: Document
    passage: Passage
    types: tuple[int, ...]
    use_facts: bool = True
    complete: bool = True
    soft_labels: bool = False
    use_entities: bool = True


def make_example(
    model: Network,
    features: Features,
    use_facts: bool = True,
    complete: bool = True,
    soft_labels: bool = False,
    use_entities: bool = True,
) -> Example:
    """Number the entity types of an annotated document and mark its entities in the network's input.

    Raises:
        ValueError: the document has no annotations, or names a type or relation that the schema lacks.
    """
    document, schema = features.document, model.config.schema
    if document.entities is None:
        raise ValueError(f"document '{document.id}' has no annotated entities: it cannot be used for training")
    unknown = {fact.relation for fact in document.facts} - schema.index.keys()
    unknown |= {entity.type for entity in document.entities} - set(schema.entity_types)
    if unknown:
        raise ValueError(
            f"document '{document.id}' uses '{min(unknown)}', which relation schema '{schema.name}' does not have"
        )
    types = tuple(schema.entity_types.index(e.type) for e in document.entities)
    passage = model.mark_entities(features.passages[0], entity_spans(document), types)
    return Example(document, passage, types, use_facts, complete, soft_labels, use_entities)


def entity_spans(document: Document) -> list[list[tuple[int, int]]]:
    """Return the mentions of every given entity of a document."""
    return [[(m.start, m.end) for m in entity.mentions] for entity in document.entities or ()]


def relation_targets(layout: Layout, documents: Sequence[Document], relations: dict[str, int]) -> Tensor:
    """Return the probability of every relation of every pair of the layout: shape (pairs, relations).

    It is 1 for annotated facts and 0 where there is no fact.
    """
    entity_counts = [len(document.entities or ()) for document in documents]
    offset = np.cumsum([0, *entity_counts])
    known = [(i, fact) for i, document in enumerate(documents) for fact in document.facts if fact.head != fact.tail]
    facts = np.array(
        [(offset[i] + fact.head, offset[i] + fact.tail, relations[fact.relation]) for i, fact in known], np.int64
    ).reshape(-1, 3)
    total = int(offset[-1])
    pairs = layout.pairs.numpy()
    # Pairs are sorted by (head, tail).
    row = np.searchsorted(pairs[:, 0] * total + pairs[:, 1], facts[:, 0] * total + facts[:, 1])
    targets = torch.zeros(len(pairs), len(relations))
    probabilities = torch.tensor([fact.probability for _, fact in known])
    targets[torch.from_numpy(row), torch.from_numpy(facts[:, 2])] = probabilities
    return targets
