"""Load extractors from checkpoints."""

from __future__ import annotations

from extractors.checkpoints.checkpoint import find_checkpoint, load_calibration, load_config, load_tokenizer
from extractors.checkpoints.weights import load_model
from extractors.encoder.device import Device
from extractors.encoder.featurizer import Featurizer
from extractors.inference.extractor import Extractor


def load_featurizer(name_or_folder: str) -> Featurizer:
    """Return what prepares documents for a checkpoint, without its weights."""
    folder = find_checkpoint(name_or_folder)
    config = load_config(folder)
    return Featurizer(load_tokenizer(folder), config.whole_pieces, config.passage_pieces, not config.joint)


def load_extractor(name_or_folder: str, device: Device | None = None) -> Extractor:
    """Load a checkpoint: a shipped name such as `docred-minilm`, or a folder.

    Raises:
        CheckpointError: it is missing, cut short or does not fit.
    """
    folder = find_checkpoint(name_or_folder)
    return Extractor(load_model(folder), load_featurizer(str(folder)), load_calibration(folder), device)
