"""JEREX's global relation classifier (section 3.1 d, equations 7 and 8)."""

from __future__ import annotations

from torch import Tensor, nn

from extractors.encoder.layers import FeedForward
from extractors.heads.base import EntityPairs, HeadSizes, NoOptions, RelationHead, init_low_bias


class GlobalRelationClassifier(RelationHead):
    """Scores a pair from its two max-pooled entity representations and their types."""

    def __init__(self, sizes: HeadSizes, options: NoOptions) -> None:
        nn.Module.__init__(self)
        self.type_embedding = nn.Embedding(sizes.types, sizes.meta)
        self.classifier = FeedForward(2 * (sizes.width + sizes.meta), sizes.width, sizes.classes, sizes.dropout)
        init_low_bias(self.classifier.outer)
        self.feature_width = sizes.width

    def pair_features(self, pairs: EntityPairs) -> Tensor:
        """Return the inner layer of the classifier: shape (n, feature_width)."""
        head, tail = pairs.layout.pairs.unbind(1)
        types = self.type_embedding(pairs.types)
        # Equation 7: x^p = (x_1^e o w_1^e) o (x_2^e o w_2^e).
        return self.classifier.hidden((pairs.entities, head), (types, head), (pairs.entities, tail), (types, tail))

    def classify(self, features: Tensor) -> Tensor:
        """Return logits of shape (n, classes): equation 8 without its sigmoid."""
        scores: Tensor = self.classifier.outer(features)
        return scores
