"""An encoder that only looks up frozen vectors of word pieces: HIN with static word vectors (HIN section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModel, PretrainedConfig

from extractors.encoder.encoder import Reading
from extractors.encoder.featurizer import Passage

# Marks of pieces that go on a word (word pieces), or that begin one (byte pairs, sentence pieces).
MARKS = ("##", "Ġ", "▁")


class StaticEncoder(nn.Module):
    """Gives every piece the same vector wherever it stands; the relation head reads the context itself.

    Args:
        config: configuration of the backbone whose pieces are looked up; its `hidden_size` is the vectors' width.
    """

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        # Named as in transformers, so that checkpoints keep the table as they keep theirs.
        self.backbone = nn.ModuleDict({"word_embeddings": Vectors(config.vocab_size, config.hidden_size)})
        self.width: int = config.hidden_size

    @property
    def vectors(self) -> Tensor:
        """The table, shape (pieces, width)."""
        table = self.backbone["word_embeddings"].weight
        assert isinstance(table, Tensor)  # noqa: S101 - for the type checker
        return table

    def load_backbone(self, folder: str) -> None:
        """Take the input vectors of a pretrained encoder's pieces."""
        pretrained = AutoModel.from_pretrained(folder)
        self.load_vectors(pretrained.get_input_embeddings().weight.detach())

    def load_vectors(self, vectors: Tensor) -> None:
        """Take other vectors of the pieces, of shape (pieces, width): see `read_vectors`."""
        self.vectors.copy_(vectors)

    def forward(self, passages: Sequence[Passage]) -> Reading:
        """Look up the pieces of the passages; there is no attention."""
        pieces = np.concatenate([passage.pieces for passage in passages]).astype(np.int64)
        return Reading(nn.functional.embedding(torch.from_numpy(pieces).to(self.vectors.device), self.vectors), None)


class Vectors(nn.Module):
    """A table of vectors that no training moves.

    Args:
        count, width: shape of the table.
    """

    weight: Tensor

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(count, width))


def vector_width(path: Path) -> int:
    """Return the width of the vectors of a file in GloVe's text format.

    Raises:
        ValueError: the file is missing or its first line is no word with numbers.
    """
    if not path.is_file():
        raise ValueError(f"no word vectors at '{path}': give a text file in GloVe's format")
    with path.open(encoding="utf-8") as file:
        width = len(file.readline().split()) - 1
    if width < 2:
        raise ValueError(f"{path}:1: no word with its numbers: give a text file in GloVe's format, without a header")
    return width


def read_vectors(path: Path, vocabulary: Mapping[str, int], pieces: int) -> Tensor:
    """Read vectors of word pieces from a text file in GloVe's format: one word and its numbers in a line.

    A piece gets the vector of the word that it spells, whatever its mark of a word's beginning or continuation, in
    lower case if only that is known; other pieces get zeros.

    Args:
        path: the file.
        vocabulary: number of each piece.
        pieces: how many there are, the tokenizer's unused numbers included.

    Returns:
        Shape (pieces, width).

    Raises:
        ValueError: the file is missing, a line has another number of numbers, or no piece is among its words.
    """
    width = vector_width(path)
    spelled = {piece: _spelling(piece) for piece in vocabulary}
    wanted = {form for word in spelled.values() for form in (word, word.lower())}
    known: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            word, _, numbers = line.rstrip().partition(" ")
            if word not in wanted:
                continue
            try:
                vector = np.array(numbers.split(), np.float32)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None
            if len(vector) != width:
                raise ValueError(f"{path}:{number}: {len(vector)} numbers, and {width} in the first line")
            known[word] = vector
    if not known:
        raise ValueError(f"{path}: none of its words is a piece of the encoder's tokenizer")
    table = torch.zeros(pieces, width)
    for piece, word in spelled.items():
        found = known.get(word, known.get(word.lower()))
        if found is not None:
            table[vocabulary[piece]] = torch.from_numpy(found)
    return table


def _spelling(piece: str) -> str:
    """Return a piece without its mark."""
    return next((piece[len(mark) :] for mark in MARKS if piece.startswith(mark) and piece != mark), piece)
