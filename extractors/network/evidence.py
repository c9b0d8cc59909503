"""Evidence of a pair: its attention over the document, summed by sentence and trained with gold evidence.

The supervision follows DREEAM (Ma et al. 2023): the product of both entities' attention, which localized context
pooling uses anyway, is pulled towards the annotated evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from extractors.heads.base import EntityPairs
from schemas import Document


def sentence_attention(pairs: EntityPairs) -> Tensor:
    """Return how the attention of each pair is spread over the sentences of its passage.

    Returns:
        Shape (n, most sentences of a passage); rows sum to one, sentences are counted within the passage.
    """
    head, tail = pairs.layout.pairs.unbind(1)
    attention: Tensor = pairs.entity_attention
    weights = (attention[head] * attention[tail]).sum(1).float()
    sentence = pairs.sentence_of_piece
    row = pairs.grid_row[head]
    by_sentence = weights.new_zeros(len(head), int(sentence.max()) + 1 if sentence.numel() else 1)
    by_sentence = by_sentence.scatter_add(1, sentence[row], weights)
    return by_sentence / (by_sentence.sum(1, keepdim=True) + 1e-20)


def evidence_of_pairs(documents: Sequence[Document]) -> dict[tuple[int, int], dict[int, int]]:
    """Return for every pair with annotated evidence how often its facts name each sentence.

    Entities are counted over all documents, sentences within each.
    """
    offset = 0
    gold: dict[tuple[int, int], dict[int, int]] = {}
    for document in documents:
        for fact in document.facts:
            if fact.evidence and fact.head != fact.tail:
                counts = gold.setdefault((offset + fact.head, offset + fact.tail), {})
                for sentence in fact.evidence:
                    counts[sentence] = counts.get(sentence, 0) + 1
        offset += len(document.entities or ())
    return gold


def evidence_loss(pairs: EntityPairs, documents: Sequence[Document]) -> Tensor:
    """Return the divergence of the pairs' attention from their annotated evidence, the mean over pairs that have some.

    Args:
        pairs: the encoded documents; their candidate pairs do not matter.
        documents: the annotated documents.
    """
    gold = evidence_of_pairs(documents)
    if not gold:
        return pairs.mentions.sum() * 0.0
    device = pairs.mentions.device
    annotated = pairs.with_pairs(torch.tensor(list(gold), device=device))
    predicted = sentence_attention(annotated)
    target = torch.zeros(predicted.shape)
    for row, counts in enumerate(gold.values()):
        for sentence, count in counts.items():
            target[row, sentence] = count
    target = (target / target.sum(1, keepdim=True)).to(device)
    # Kullback-Leibler divergence; the entropy of the target is a constant and left out.
    return -(target * (predicted + 1e-10).log()).sum(1).mean()


def evidence_sentences(pairs: EntityPairs, threshold: float) -> list[tuple[int, ...]]:
    """Return the sentences that hold at least a share of each pair's attention, counted within the passage.

    The sentence with the most attention is always one of them.
    """
    share = sentence_attention(pairs).cpu()
    chosen = share >= torch.minimum(share.amax(1, keepdim=True), torch.tensor(threshold))
    return [tuple(row.nonzero().squeeze(1).tolist()) for row in chosen]
