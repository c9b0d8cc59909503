"""Names of the spans of a passage, by which repeated mentions are recognised."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from extractors.encoder.featurizer import Passage
from schemas import Document
from schemas.text.abbreviations import long_forms

# Up to this length, capitals distinguish names: US and us, IT and it.
_SHORT = 3


class Names:
    """The names in a passage: without capitals, if they are not short, and with its own abbreviations written out.

    Args:
        document: the document.
        passage: one of its passages.
    """

    def __init__(self, document: Document, passage: Passage) -> None:
        self.document = document
        self.passage = passage

    @cached_property
    def long_forms(self) -> dict[str, str]:
        """The long forms of the abbreviations of the passage; computed on first use."""
        first = self.passage.first_word
        return long_forms(self.document.span_text(first, first + self.passage.words))

    def of(self, start: int, end: int) -> str:
        """Return the name of a range of words, counted over the document."""
        text = self.document.span_text(start, end)
        name = " ".join(self.long_forms.get(text, text).split())
        return name if len(name) <= _SHORT else name.casefold()


def is_unambiguous(name: str) -> bool:
    """Return whether a name has one meaning in a passage: numbers and single letters do not."""
    return sum(sign.isalpha() for sign in name) > 1


def edit_distances(names: Sequence[str], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Levenshtein distances of pairs of mentions' names; the same in training and inference."""
    if not len(first):
        return np.zeros(0, np.int64)
    known = np.array(names, dtype=object)
    distances = cpdist(known[first].tolist(), known[second].tolist(), scorer=Levenshtein.distance)
    return np.asarray(distances, np.int64)
