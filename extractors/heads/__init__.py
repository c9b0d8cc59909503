"""Relation heads: parts of an extractor that score entity pairs. A new head is one file and one line here."""

from extractors.heads.base import EntityPairs, RelationHead
from extractors.heads.jerex_grc import GlobalRelationClassifier
from extractors.heads.jerex_mrc import MultiInstanceRelationClassifier

HEADS: dict[str, type[RelationHead]] = {
    "jerex-grc": GlobalRelationClassifier,
    "jerex-mrc": MultiInstanceRelationClassifier,
}

__all__ = ["HEADS", "EntityPairs", "GlobalRelationClassifier", "MultiInstanceRelationClassifier", "RelationHead"]
