"""Documents from texts, and the files in which documents of a program reach a build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas import Document, Entity, Mention, content_hash
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import Spans, align, segment


@dataclass(frozen=True)
class GivenEntity:
    """An entity of a text that is known before extraction.

    Attributes:
        type: entity type, one of the model's.
        spans: (start, end) characters of its mentions.
        kb_ids: ids in knowledge bases, for example `("wiki:Marie Curie",)`; they identify its node in a graph.
    """

    type: str
    spans: Sequence[tuple[int, int]]
    kb_ids: Sequence[str] = ()


def make_document(
    text: str,
    *,
    id: str | None = None,
    title: str = "",
    source: str = "",
    entities: Iterable[GivenEntity] | None = None,
) -> Document:
    """Return a text as a document, cut into sentences and tokens.

    Args:
        text: any text; its length stays as it is, so that offsets count its characters.
        id: unique in the corpus; a hash of the text if absent, so that equal texts are one document.
        title: title for people; a name in the text that equals it is preferred as the name of a node.
        source: where the text comes from, for example the name of a file.
        entities: all entities of the text, which a model then only relates; None has it find them.

    Raises:
        TypeError: `text` is no str.
        ValueError: an entity has no mention, or one outside the text or without a visible character.
    """
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {described(text)}")
    text = clean(text)
    given = None if entities is None else list(entities)
    spans = [span for entity in given or () for span in entity.spans]
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError(f"the mention {start}:{end} leaves the text, which has {len(text)} characters")
    tokens, sentences = segment(text, spans)
    return Document(
        id=one_line(id) if id else f"text:{content_hash('text', text)}",
        source=one_line(source),
        title=one_line(title),
        text=text,
        tokens=tokens,
        sentences=sentences,
        entities=None if given is None else tuple(_entity(entity, text, tokens) for entity in given),
    )


def _entity(given: GivenEntity, text: str, tokens: Spans) -> Entity:
    mentions = []
    for start, end in given.spans:
        place = align(tokens, start, end)
        if place is None:
            raise ValueError(f"the mention {start}:{end} ({text[start:end]!r}) has no visible character")
        mentions.append(Mention(*place, given.type))
    if not mentions:
        raise ValueError(f"an entity of type '{given.type}' has no mention: give one, or leave it out")
    return Entity(tuple(sorted(mentions, key=lambda m: (m.start, m.end))), given.type, tuple(sorted(given.kb_ids)))


def as_document(item: object) -> Document:
    """Return a str or a Document as a document.

    Raises:
        TypeError: it is something else; the message names the remedy.
    """
    if isinstance(item, Document):
        return item
    if isinstance(item, str):
        return make_document(item)
    raise TypeError(f"expected a str or a factmill.Document, not {described(item)}")


def as_documents(items: Iterable[object]) -> list[Document]:
    """Return each str or Document of a list as a document.

    Raises:
        TypeError: an item is something else; the message names its position.
    """
    found = []
    for index, item in enumerate(items):
        try:
            found.append(as_document(item))
        except TypeError as error:
            raise TypeError(f"item {index}: {error}") from None
    return found


_REMEDIES = {
    "bytes": "decode it: data.decode('utf-8')",
    "bytearray": "decode it: data.decode('utf-8')",
    "PosixPath": "read it: path.read_text('utf-8'), or build a graph from files with factmill.build",
    "WindowsPath": "read it: path.read_text('utf-8'), or build a graph from files with factmill.build",
    "NoneType": "leave out what is missing",
    "dict": "pass its text, or factmill.make_document(text, id=..., title=...)",
    "DataFrame": "pass a list of texts, for example list(frame['text'])",
    "Series": "pass a list: list(series)",
}


def described(item: Any) -> str:
    """Return the type of an object for an error message, with the remedy where there is a known one."""
    name = type(item).__name__
    remedy = _REMEDIES.get(name)
    return f"{name} ({remedy})" if remedy else name
