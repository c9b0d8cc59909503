"""What the spans of a passage are called, so that one that is called as another can be told to be the same."""

from __future__ import annotations

from extractors.abbreviations import abbreviations
from extractors.prepare import Passage
from schemas import Document


class Names:
    """The names in a passage: in small letters, abbreviations that it introduces itself written out.

    Args:
        document: the document.
        passage: one of its passages.
    """

    def __init__(self, document: Document, passage: Passage) -> None:
        self.document = document
        text = document.span_text(passage.first_word, passage.first_word + passage.words)
        self.long_forms = abbreviations(text)

    def of(self, start: int, end: int) -> str:
        """Return the name of a range of words, counted over the document."""
        text = self.document.span_text(start, end)
        return " ".join(self.long_forms.get(text, text).casefold().split())
