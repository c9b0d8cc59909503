"""Extract entities and facts from documents: encoder, relation heads, training, calibration, evaluation, checkpoints.

The names below are imported when they are first used, since they load torch, which takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractors.checkpoints.checkpoint import CheckpointError, find_checkpoint, fingerprint, shipped
    from extractors.checkpoints.loading import load_extractor, load_featurizer
    from extractors.encoder.featurizer import Features, Featurizer
    from extractors.inference.extractor import Extractor

_HOME = {
    "CheckpointError": "extractors.checkpoints.checkpoint",
    "Extractor": "extractors.inference.extractor",
    "Features": "extractors.encoder.featurizer",
    "Featurizer": "extractors.encoder.featurizer",
    "find_checkpoint": "extractors.checkpoints.checkpoint",
    "fingerprint": "extractors.checkpoints.checkpoint",
    "load_extractor": "extractors.checkpoints.loading",
    "load_featurizer": "extractors.checkpoints.loading",
    "shipped": "extractors.checkpoints.checkpoint",
}

__all__ = [
    "CheckpointError",
    "Extractor",
    "Features",
    "Featurizer",
    "find_checkpoint",
    "fingerprint",
    "load_extractor",
    "load_featurizer",
    "shipped",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'extractors' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
