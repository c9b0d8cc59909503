"""Relation heads: parts of an extractor that score entity pairs. A new head is one file and one line here."""

from typing import Any

from extractors.heads.atlop import Atlop
from extractors.heads.base import EntityPairs, HeadSizes, RelationHead, read_options
from extractors.heads.docre_ii import IterativeInference
from extractors.heads.docunet import DocuNet
from extractors.heads.hin import HierarchicalInference
from extractors.heads.jerex_grc import GlobalRelationClassifier
from extractors.heads.jerex_mrc import MultiInstanceRelationClassifier
from extractors.heads.typed_atlop import TypedAtlop

HEADS: dict[str, type[RelationHead]] = {
    "atlop": Atlop,
    "docre-ii": IterativeInference,
    "docunet": DocuNet,
    "hin": HierarchicalInference,
    "jerex-grc": GlobalRelationClassifier,
    "jerex-mrc": MultiInstanceRelationClassifier,
    "typed-atlop": TypedAtlop,
}


def build_head(name: str, options: dict[str, Any], sizes: HeadSizes) -> RelationHead:
    """Build a relation head by its name.

    Raises:
        ValueError: there is no such head, or an option is wrong.
    """
    if name not in HEADS:
        raise ValueError(f"no relation head '{name}': choose one of {', '.join(sorted(HEADS))}")
    kind = HEADS[name]
    chosen = read_options(kind.options_type, options)
    base = kind.base_choice(chosen)
    return kind(sizes, chosen) if base is None else kind(sizes, chosen, build_head(*base, sizes))


__all__ = ["HEADS", "EntityPairs", "HeadSizes", "RelationHead", "build_head"]
