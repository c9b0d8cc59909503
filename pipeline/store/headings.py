"""Headings: the entries of vocabularies under which a source lists a document, such as MeSH in MEDLINE."""

from __future__ import annotations

from collections.abc import Iterator

from schemas import Document

# Keys of metadata whose values are "id|name", and the vocabulary of the ids.
_VOCABULARIES = {"mesh": "mesh", "substance": "mesh"}


def headings(document: Document) -> Iterator[tuple[str, str]]:
    """Yield (id, name) for every entry that a document is listed under."""
    for key, value in document.metadata:
        if vocabulary := _VOCABULARIES.get(key):
            id, _, name = value.partition("|")
            if id and name:
                yield f"{vocabulary}:{id}", name


def listed_targets(document: Document) -> set[str]:
    """Return the ids of all that a document is listed under."""
    return {target for target, _ in headings(document)}
