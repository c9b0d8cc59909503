"""Documents in, entities and facts out: encoder, heads, training, evaluation, checkpoints."""

from extractors.checkpoints.checkpoint import CheckpointError, find_checkpoint, fingerprint, shipped
from extractors.encoder.featurizer import Prepared, Preparer
from extractors.extractor import Extractor, load_extractor, load_preparer

__all__ = [
    "CheckpointError",
    "Extractor",
    "Prepared",
    "Preparer",
    "find_checkpoint",
    "fingerprint",
    "load_extractor",
    "load_preparer",
    "shipped",
]
