"""Profiles made for tests."""

from __future__ import annotations

from pipeline.resolution.matching import FEATURES, MatchModel
from pipeline.resolution.node_profiles import NodeProfile
from schemas import node_id

# Names of the same letters, or of which one is an alias of the other, are one; shared documents tell them apart.
MODEL = MatchModel(
    bias=-6.0,
    weights=dict.fromkeys(FEATURES, 0.0) | {"same letters": 11.0, "name is alias": 9.0, "together": -20.0},
    threshold=0.9,
)


def profile(name: str, type: str = "PER", kb_id: str = "", **fields) -> NodeProfile:
    given = {"aliases": (name,), "neighbours": (), "documents": (f"about {name} {type} {kb_id}",), "support": 1}
    return NodeProfile(id=node_id(kb_id or None, name, type), name=name, type=type, kb_id=kb_id, **{**given, **fields})
