"""Mask words of the input, others in each step of training.

A network that reads a few hundred documents many times memorises them. With some words masked it never reads the
same text twice, and must find what they said elsewhere in it. Inputs alone change: unlike dropout between the layers of
the encoder, it costs no time.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from tokenizers import Tokenizer

from extractors.encoder.featurizer import Passage

# Mask tokens of MPNet and RoBERTa, and of BERT. MPNet's vocabulary has that of BERT too, which it never uses.
_NAMES = ("<mask>", "[MASK]")


def mask_id(tokenizer: Tokenizer) -> int:
    """Return the id of the encoder's mask token.

    Raises:
        ValueError: it has none.
    """
    for name in _NAMES:
        found: int | None = tokenizer.token_to_id(name)
        if found is not None:
            return found
    raise ValueError(f"the encoder has no mask token ({' or '.join(_NAMES)}): leave out 'masking'")


def mask_words(passage: Passage, share: float, mask: int, generator: np.random.Generator) -> Passage:
    """Return the passage with all pieces of a share of its words replaced by the mask token."""
    hidden = np.repeat(generator.random(passage.words) < share, np.diff(passage.word_pieces))
    return dataclasses.replace(passage, pieces=np.where(hidden, np.int32(mask), passage.pieces))
