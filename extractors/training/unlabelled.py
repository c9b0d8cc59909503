"""Learning from documents in which some facts are annotated and the others are not: positive-unlabelled learning.

After SSR-PU (Wang et al. 2022) with the logistic loss and the non-negative correction of Kiryo et al. (2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from schemas import Document

# The ratio of all relations together weighs as much as so many facts of a relation.
PRIOR_FACTS = 10.0


def positive_unlabelled(scores: Tensor, targets: Tensor, ratios: Tensor) -> Tensor:
    """Return the positive-unlabelled loss of every pair.

    With l+(s) = log(1 + exp(-s)) and l-(s) = log(1 + exp(s)), labelled pairs P_i and other pairs U_i, the loss of all
    pairs together is

        sum_i  r_i sum_{P_i} l+(s_i)  +  max(0, sum_{U_i} l-(s_i) - (r_i - 1) sum_{P_i} l-(s_i)).

    It is SSR-PU's estimate of the risk under the shift of the unlabelled pairs, with the class prior pi_i and the
    share pi_L,i of labelled pairs: there, only r_i = pi_i / pi_L,i is left of both. A labelled pair stands for r_i
    related ones, r_i - 1 of which are among the others and are taken out of what is learned from them.

    Args:
        scores: above zero where a relation is predicted, shape (n, relations).
        targets: the annotated relations, shape (n, relations).
        ratios: r, shape (relations,).

    Returns:
        Shape (n,); the sum is the loss above.
    """
    scores = scores.float()
    related = functional.softplus(-scores) * targets * ratios
    unrelated = functional.softplus(scores) * (1 - targets * ratios)
    # Where the second part falls below zero it is overfitted, and nothing is learned from it.
    unrelated = unrelated * (unrelated.sum(0) > 0)
    return (related + unrelated).sum(1)


def fact_ratios(complete: Sequence[Document], incomplete: Sequence[Document], relations: dict[str, int]) -> Tensor:
    """Return how many facts of each relation there are for one that is annotated: shape (relations,), at least 1.

    Estimated from how often pairs are related in the completely and in the incompletely annotated documents; relations
    with few facts lean on the ratio of all relations.

    Raises:
        ValueError: there are no pairs in documents of one kind.
    """
    expected, labelled = _shares(complete, relations), _shares(incomplete, relations)
    pairs = _pairs(incomplete)
    expected, labelled = expected * pairs, labelled * pairs
    overall = expected.sum() / labelled.sum().clamp(min=1.0)
    ratios: Tensor = (expected + PRIOR_FACTS * overall) / (labelled + PRIOR_FACTS)
    return ratios.clamp(min=1.0)


def _pairs(documents: Sequence[Document]) -> int:
    sizes = [len(document.entities or ()) for document in documents]
    return sum(size * (size - 1) for size in sizes)


def _shares(documents: Sequence[Document], relations: dict[str, int]) -> Tensor:
    """Return the share of pairs with each relation."""
    pairs = _pairs(documents)
    if not pairs:
        raise ValueError("positive-unlabelled learning needs documents with all facts and documents with some")
    counts = torch.zeros(len(relations))
    for document in documents:
        for _, relation, _ in {(f.head, f.relation, f.tail) for f in document.facts if f.head != f.tail}:
            counts[relations[relation]] += 1
    return counts / pairs
