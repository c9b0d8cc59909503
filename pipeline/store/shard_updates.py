"""Notes: what was found out about documents over many of them, and is put into them when their shard is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from pipeline.store.redirects import apply_redirects
from schemas import Document, Extraction, Record

# Kinds of notes.
REDIRECT, LINK, MOVE = "redirect", "link", "move"


class ShardUpdate(Record, frozen=True, array_like=True):
    """What is to be changed in the documents of a shard when it is opened.

    Attributes:
        kind: `redirect`: links to one id lead to another; `link`: an entity stands for an id; `move`: an entity belongs
            to another node than its name says.
        key: the id that is redirected; the document whose entity is linked or moved.
        value: where the redirect leads; what the entity stands for; the id of its node.
        entity: which entity of the document is linked or moved.
        probability: that an entity stands for an id.
    """

    kind: str
    key: str
    value: str
    entity: int = -1
    probability: float = 1.0


@dataclass
class ShardUpdates:
    """The notes of one shard, ready to be applied."""

    redirects: dict[str, str] = field(default_factory=dict)
    links: dict[str, dict[int, ShardUpdate]] = field(default_factory=dict)
    moves: dict[str, dict[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, notes: Iterable[ShardUpdate]) -> ShardUpdates:
        """Sort notes by kind."""
        sorted_notes = cls()
        for note in notes:
            if note.kind == REDIRECT:
                sorted_notes.redirects[note.key] = note.value
            elif note.kind == LINK:
                sorted_notes.links.setdefault(note.key, {})[note.entity] = note
            elif note.kind == MOVE:
                sorted_notes.moves.setdefault(note.key, {})[note.entity] = note.value
        return sorted_notes

    def apply(self, document: Document, extraction: Extraction, ids: Iterable[str]) -> tuple[Document, Extraction]:
        """Return both with what was noted about them; `ids` are the knowledge-base ids that they have."""
        targets = {id: self.redirects[id] for id in ids if id in self.redirects}
        document, extraction = apply_redirects(document, extraction, targets)
        moves = self.moves.get(document.id)
        if moves:
            nodes = tuple(moves.get(index, "") for index in range(len(extraction.entities)))
            extraction = msgspec.structs.replace(extraction, nodes=nodes)
        return document, with_links(extraction, self.links.get(document.id, {}))


def with_links(extraction: Extraction, links: Mapping[int, ShardUpdate]) -> Extraction:
    """Return what was found in a document, some of its entities linked; the notes are given by their numbers."""
    if not links:
        return extraction
    entities = list(extraction.entities)
    for index, note in links.items():
        # Links of single mentions were not enough to decide what the entity is, and would speak against it.
        mentions = tuple(msgspec.structs.replace(mention, kb_ids=()) for mention in entities[index].mentions)
        entities[index] = msgspec.structs.replace(
            entities[index], mentions=mentions, kb_ids=(note.value,), link_probability=note.probability
        )
    return msgspec.structs.replace(extraction, entities=tuple(entities))
