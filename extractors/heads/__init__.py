"""Relation heads: parts of an extractor that score entity pairs.

A new head is one file, and one line here or an entry point of the group `factmill.heads` in another distribution.
"""

from typing import Any

from extractors.heads.atlop import Atlop
from extractors.heads.base import EntityPairs, HeadSizes, RelationHead, read_options
from extractors.heads.docre_ii import IterativeInference
from extractors.heads.docunet import DocuNet
from extractors.heads.hin import HierarchicalInference
from extractors.heads.jerex_grc import GlobalRelationClassifier
from extractors.heads.jerex_mrc import MultiInstanceRelationClassifier
from extractors.heads.typed_atlop import TypedAtlop
from schemas.plugins import load_plugin, plugin_names, wrong_plugin

GROUP = "factmill.heads"

HEADS: dict[str, type[RelationHead]] = {
    "atlop": Atlop,
    "docre-ii": IterativeInference,
    "docunet": DocuNet,
    "hin": HierarchicalInference,
    "jerex-grc": GlobalRelationClassifier,
    "jerex-mrc": MultiInstanceRelationClassifier,
    "typed-atlop": TypedAtlop,
}


def head_names() -> list[str]:
    """Return the names of all heads, sorted, those of installed distributions too; imports none of these."""
    return sorted({*HEADS, *plugin_names(GROUP)})


def head_class(name: str) -> type[RelationHead]:
    """Return the class of a relation head by its name.

    Raises:
        ValueError: there is no such head.
        PluginError: the head of a distribution cannot be used.
    """
    found = load_plugin(GROUP, name, builtin=HEADS)
    if found is None:
        if name not in HEADS:
            raise ValueError(f"no relation head '{name}': choose one of {', '.join(head_names())}")
        return HEADS[name]
    if not (isinstance(found, type) and issubclass(found, RelationHead)):
        raise wrong_plugin(GROUP, name, "a class derived from extractors.heads.RelationHead", found)
    return found


def build_head(name: str, options: dict[str, Any], sizes: HeadSizes) -> RelationHead:
    """Build a relation head by its name.

    Raises:
        ValueError: there is no such head, or an option is wrong.
        PluginError: the head of a distribution cannot be used.
    """
    kind = head_class(name)
    chosen = read_options(kind.options_type, options)
    base = kind.base_choice(chosen)
    return kind(sizes, chosen) if base is None else kind(sizes, chosen, build_head(*base, sizes))


__all__ = ["HEADS", "EntityPairs", "HeadSizes", "RelationHead", "build_head", "head_class", "head_names"]
