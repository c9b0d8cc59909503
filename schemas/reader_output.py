"""Records that readers yield besides documents, so that every record of a source file is accounted for."""

from __future__ import annotations

from schemas.document import Document
from schemas.record import Record


class DeadLetter(Record, frozen=True):
    """A record that could not be processed, with the reason.

    Attributes:
        document_id: id of the document, or the source file and the position in it if no id could be read.
        source: name of the file.
        stage: `read`, `prepare`, `extract`, `merge` or `write`.
        reason: a short, stable phrase for counting, for example `page without title`.
        detail: the value, the position (line, byte, page) and the remedy.
    """

    document_id: str
    source: str
    stage: str
    reason: str
    detail: str = ""


class Skipped(Record, frozen=True):
    """A record left out on purpose, for example a talk page; counted by reason."""

    source: str
    reason: str


class Removal(Record, frozen=True):
    """The source asks that a document be removed (PubMed `DeleteCitation`)."""

    document_id: str
    source: str


class Redirect(Record, frozen=True):
    """`alias` is another name of `target`; both are knowledge-base ids such as `wiki:UK`."""

    alias: str
    target: str
    source: str


Intake = Document | DeadLetter | Skipped | Removal | Redirect
