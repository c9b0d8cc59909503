"""Relation losses: one value per entity pair from its logits and its annotated relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class RelationLoss:
    """A loss and the class it adds.

    Attributes:
        per_pair: logits (n, classes) and targets (n, relations) to losses (n,).
        added: how many classes it adds after the relations, none or one.
        threshold: whether the added class is a threshold: a relation holds where its logit is above that one's.
    """

    per_pair: Callable[[Tensor, Tensor], Tensor]
    added: int = 0
    threshold: bool = False

    def scores(self, logits: Tensor) -> Tensor:
        """Return scores of shape (n, relations) that are above zero where the loss says that a relation holds."""
        relations = logits[:, : logits.shape[1] - self.added]
        return relations - logits[:, -1:] if self.threshold else relations


def mean(values: Tensor) -> Tensor:
    """Return the mean of losses of shape (n,), zero where there are none."""
    return values.sum() / max(1, len(values))


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross entropy over the relations (HIN equation 16; JEREX section 3.2)."""
    return functional.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none").sum(1)


def adaptive_threshold(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ATLOP's adaptive threshold loss (DocRE-II equation 13); the last class is TH."""
    logits = logits.float()
    positive = functional.pad(targets, (0, 1)).bool()
    threshold = torch.zeros_like(positive)
    threshold[:, -1] = True
    # First part: every positive relation against the positive ones and TH.
    above = logits.masked_fill(~(positive | threshold), -torch.inf).log_softmax(1)
    first = -above.masked_fill(~positive, 0.0).sum(1)
    # Second part: TH against the negative relations.
    below = logits.masked_fill(positive, -torch.inf).log_softmax(1)
    return first - below[:, -1]


def balanced_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Return DocuNet's balanced softmax with the threshold zero (equation 11)."""
    logits = logits.float()
    positive = targets.bool()
    zero = logits.new_zeros(len(logits), 1)
    negatives = torch.cat([logits.masked_fill(positive, -torch.inf), zero], 1)
    positives = torch.cat([(-logits).masked_fill(~positive, -torch.inf), zero], 1)
    return negatives.logsumexp(1) + positives.logsumexp(1)


def balanced_softmax_with_na(logits: Tensor, targets: Tensor) -> Tensor:
    """Return balanced softmax as DocuNet's code has it: the last class is NA, the label of pairs without a relation.

    NA only takes part in training: that code predicts every relation whose logit is above zero, whatever NA's is.
    """
    unrelated = ~targets.bool().any(1, keepdim=True)
    return balanced_softmax(logits, torch.cat([targets, unrelated.to(targets)], 1))


LOSSES: dict[str, RelationLoss] = {
    "bce": RelationLoss(binary_cross_entropy),
    "adaptive-threshold": RelationLoss(adaptive_threshold, added=1, threshold=True),
    "balanced-softmax": RelationLoss(balanced_softmax),
    "balanced-softmax-na": RelationLoss(balanced_softmax_with_na, added=1),
}
