"""Featurize documents: the integer arrays that a model reads. This needs the tokenizer only, and no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from schemas import Document

# Classes of a word's shape, which distinguishes names from other words and which uncased encoders do not see.
LOWER, TITLE, UPPER, MIXED, DIGITS, SYMBOL = range(6)
SHAPES = 6


@dataclass(frozen=True)
class Passage:
    """A stretch of whole sentences of one document that the model reads at once.

    Attributes:
        first_word: index of its first token in the document.
        pieces: word-piece ids without special tokens, shape (p,).
        shapes: word shape of every piece, shape (p,).
        word_pieces: where each word's pieces begin, and the end of the last one, shape (words + 1,).
        sentences: sentence of each word, counted over the document, shape (words,).
        types: entity type of every piece, counted from 1, 0 where there is none or it is not marked; shape (p,).
        orders: number of the entity of every piece by first mention, -1 where there is none; shape (p,).
    """

    first_word: int
    pieces: NDArray[np.int32]
    shapes: NDArray[np.int8]
    word_pieces: NDArray[np.int32]
    sentences: NDArray[np.int32]
    types: NDArray[np.int32]
    orders: NDArray[np.int32]

    @property
    def words(self) -> int:
        """Number of words."""
        return len(self.sentences)


@dataclass(frozen=True)
class Features:
    """A document ready for the model: the document itself and its passages."""

    document: Document
    passages: tuple[Passage, ...]

    @cached_property
    def pieces(self) -> int:
        """Number of word pieces: the encoder's cost."""
        return sum(len(passage.pieces) for passage in self.passages)

    @cached_property
    def pairs(self) -> int:
        """Estimate of the entity pairs: the relation head's cost.

        Given entities are counted; otherwise a passage is taken to name an entity in every eighth word, about the
        density of encyclopedic text.
        """
        if self.document.entities is not None:
            return len(self.document.entities) ** 2
        return sum((passage.words // 8) ** 2 for passage in self.passages)


class Featurizer:
    """Cuts documents into passages and passages into word pieces.

    Args:
        tokenizer: the encoder's tokenizer.
        whole_pieces: documents of at most this many pieces are one passage, and so are those with given entities.
        passage_pieces: longer ones are cut into passages of at most this many pieces.
        needs_entities: whether the model only relates given entities.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        whole_pieces: int = 1024,
        passage_pieces: int = 382,
        needs_entities: bool = False,
    ) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self.whole_pieces = whole_pieces
        self.passage_pieces = passage_pieces
        self.needs_entities = needs_entities
        unknown = tokenizer.token_to_id("[UNK]")
        self.unknown: int = unknown if unknown is not None else tokenizer.token_to_id("<unk>") or 0

    def featurize(self, document: Document) -> Features:
        """Return the document with its passages; a document without tokens has none.

        Raises:
            ValueError: the model needs given entities, and the document has none.
        """
        if self.needs_entities and document.entities is None:
            raise ValueError(
                f"document '{document.id}' has no entities, and this checkpoint only relates given ones: give "
                "documents with entities (PubTator, DocRED, GDA), or use a joint checkpoint"
            )
        words = document.words()
        if not words:
            return Features(document, ())
        encoding = self.tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
        pieces = np.asarray(encoding.ids, np.int32)
        word_of_piece = np.asarray(encoding.word_ids, np.int32)
        # A word of characters that the tokenizer drops would have no piece: it gets the unknown piece.
        lost = np.setdiff1d(np.arange(len(words), dtype=np.int32), word_of_piece)
        if len(lost):
            at = np.searchsorted(word_of_piece, lost)
            pieces = np.insert(pieces, at, self.unknown)
            word_of_piece = np.insert(word_of_piece, at, lost)
        shapes = np.fromiter(map(word_shape, words), np.int8, len(words))[word_of_piece]
        lengths = np.fromiter((end - start for start, end in document.sentences), np.int32, len(document.sentences))
        sentences = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        starts = np.searchsorted(word_of_piece, np.arange(len(words) + 1)).astype(np.int32)
        whole = document.entities is not None or len(pieces) <= self.whole_pieces
        ranges = [(0, len(words))] if whole else passage_ranges(document, starts, self.passage_pieces)
        passages = []
        for begin, end in ranges:
            low, high = starts[begin], starts[end]
            unknown = np.full(high - low, -1, np.int32)
            passages.append(
                Passage(
                    first_word=begin,
                    pieces=pieces[low:high],
                    shapes=shapes[low:high],
                    word_pieces=starts[begin : end + 1] - low,
                    sentences=sentences[begin:end],
                    types=unknown + 1,
                    orders=unknown,
                )
            )
        return Features(document, tuple(passages))


def passage_ranges(document: Document, starts: NDArray[np.int32], limit: int) -> list[tuple[int, int]]:
    """Return token ranges of at most `limit` pieces that cover the document.

    Passages end at sentence ends, and at the start of a section once a quarter of the limit is filled; only a
    sentence longer than the limit is cut inside. A single token over the limit is a passage of its own.

    Args:
        starts: where the pieces of each token begin, one more entry at the end.
    """
    section_starts = {section.start for section in document.sections}
    ranges: list[tuple[int, int]] = []
    begin = 0
    for start, end in document.sentences:
        filled = int(starts[start] - starts[begin])
        too_long = starts[end] - starts[begin] > limit
        if start > begin and (too_long or (start in section_starts and filled >= limit // 4)):
            ranges.append((begin, start))
            begin = start
        while starts[end] - starts[begin] > limit:
            fitting = int(np.searchsorted(starts, starts[begin] + limit, side="right")) - 1
            cut = max(begin + 1, fitting)
            if cut >= end:
                break
            ranges.append((begin, cut))
            begin = cut
    if begin < len(document.tokens):
        ranges.append((begin, len(document.tokens)))
    return ranges


def word_shape(word: str) -> int:
    """Return the shape class of a word."""
    if word.islower():
        return LOWER
    if any(character.isdigit() for character in word):
        return DIGITS
    if word.isupper():
        return UPPER if len(word) > 1 else TITLE
    if word[:1].isupper():
        return TITLE if word[1:].islower() else MIXED
    return MIXED if word.isalpha() else SYMBOL
