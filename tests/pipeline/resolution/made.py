"""Profiles made for tests."""

from __future__ import annotations

from pipeline.resolution.matching import FEATURES, Weights
from pipeline.resolution.node_profiles import Profile
from schemas import node_id

# Names of the same letters, or of which one is an alias of the other, are one; shared documents tell them apart.
MODEL = Weights(
    bias=-6.0,
    weights=dict.fromkeys(FEATURES, 0.0) | {"same letters": 11.0, "name is alias": 9.0, "together": -20.0},
    threshold=0.9,
)


def profile(name: str, type: str = "PER", kb_id: str = "", **fields) -> Profile:
    given = {"aliases": (name,), "neighbours": (), "documents": (f"about {name} {type} {kb_id}",), "support": 1}
    return Profile(id=node_id(kb_id or None, name, type), name=name, type=type, kb_id=kb_id, **{**given, **fields})
