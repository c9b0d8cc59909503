"""Choose the evidence threshold: the least share of a pair's attention with which a sentence is evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from extractors.encoder.featurizer import Featurizer
from extractors.evaluation.best_threshold import best_threshold
from extractors.inference.annotated_pairs import annotated_pairs, inference_copy
from extractors.network.evidence import sentence_attention
from extractors.network.network import Network
from schemas import Document


def best_evidence_threshold(model: Network, featurizer: Featurizer, documents: Sequence[Document]) -> float | None:
    """Return the share with the best evidence F1 over the annotated facts that have evidence; None without such facts.

    The sentence with the most attention always counts.
    """
    shares: list[float] = []
    right: list[bool] = []
    total = 0
    model = inference_copy(model)
    with torch.inference_mode():
        for group, host, pairs in annotated_pairs(model, featurizer, documents):
            facts = [
                (offset + fact.head, offset + fact.tail, fact.evidence)
                for at, offset in zip(group, np.searchsorted(host.entity_passage, range(len(group))), strict=True)
                for fact in documents[at].facts
                if fact.evidence and fact.head != fact.tail
            ]
            if not facts:
                continue
            ends = torch.tensor([(head, tail) for head, tail, _ in facts], device=pairs.mentions.device)
            attention = sentence_attention(pairs.with_pairs(ends)).cpu().numpy().astype(np.float64)
            attention[np.arange(len(facts)), attention.argmax(1)] = 1.0
            for row, (_, _, evidence) in zip(attention, facts, strict=True):
                total += len(evidence)
                some = np.flatnonzero(row)
                shares += row[some].tolist()
                right += np.isin(some, evidence).tolist()
    # Rounded down, so that the last sentence above the cut stays above it.
    return math.floor(1e4 * best_threshold(shares, right, total).value) / 1e4 if total else None
