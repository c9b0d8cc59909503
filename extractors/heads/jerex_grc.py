"""JEREX's global relation classifier (section 3.1 d, equations 7 and 8)."""

from __future__ import annotations

from torch import Tensor, nn

from extractors.heads.base import EntityPairs, RelationHead
from extractors.layers import FeedForward


class GlobalRelationClassifier(RelationHead):
    """Scores a pair from its two max-pooled entity representations and their types."""

    def __init__(self, width: int, types: int, relations: int, meta: int, dropout: float) -> None:
        nn.Module.__init__(self)
        self.type_embedding = nn.Embedding(types, meta)
        self.classifier = FeedForward(2 * (width + meta), width, relations, dropout)

    def forward(self, pairs: EntityPairs) -> Tensor:
        """Return logits of shape (n, relations)."""
        head, tail = pairs.layout.pairs.unbind(1)
        types = self.type_embedding(pairs.types)
        # Equation 7: x^p = (x_1^e o w_1^e) o (x_2^e o w_2^e); equation 8 without its sigmoid.
        scores: Tensor = self.classifier((pairs.entities, head), (types, head), (pairs.entities, tail), (types, tail))
        return scores
