"""Documents in, entities and facts out: encoder, heads, training, evaluation, checkpoints."""

from extractors.checkpoint import CheckpointError, find_checkpoint, fingerprint, shipped
from extractors.extractor import Extractor, load_extractor, load_preparer
from extractors.prepare import Prepared, Preparer

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
