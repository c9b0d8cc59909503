"""Updates of shards: results of linking, resolution and redirects, applied to documents when their shard is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from pipeline.store.redirects import apply_redirects
from schemas import Document, Extraction, Record

# Kinds of updates.
REDIRECT, LINK, MOVE = "redirect", "link", "move"


class ShardUpdate(Record, frozen=True, array_like=True):
    """A change of the documents of a shard.

    Attributes:
        kind: `redirect`: links to one id lead to another; `link`: an entity denotes an entry of a knowledge base;
            `move`: an entity belongs to another node than its name says.
        key: the id that is redirected, or the document whose entity is linked or moved.
        value: the target of the redirect, the id that the entity denotes, or the id of its node.
        entity: number of the entity that is linked or moved.
        probability: of the link.
    """

    kind: str
    key: str
    value: str
    entity: int = -1
    probability: float = 1.0


@dataclass
class ShardUpdates:
    """The updates of one shard by kind."""

    redirects: dict[str, str] = field(default_factory=dict)
    links: dict[str, dict[int, ShardUpdate]] = field(default_factory=dict)
    moves: dict[str, dict[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, updates: Iterable[ShardUpdate]) -> ShardUpdates:
        """Sort updates by kind."""
        by_kind = cls()
        for update in updates:
            if update.kind == REDIRECT:
                by_kind.redirects[update.key] = update.value
            elif update.kind == LINK:
                by_kind.links.setdefault(update.key, {})[update.entity] = update
            elif update.kind == MOVE:
                by_kind.moves.setdefault(update.key, {})[update.entity] = update.value
        return by_kind

    def apply(self, document: Document, extraction: Extraction, ids: Iterable[str]) -> tuple[Document, Extraction]:
        """Return both with the updates applied; `ids` are all knowledge-base ids in them."""
        targets = {id: self.redirects[id] for id in ids if id in self.redirects}
        document, extraction = apply_redirects(document, extraction, targets)
        moves = self.moves.get(document.id)
        if moves:
            nodes = tuple(moves.get(index, "") for index in range(len(extraction.entities)))
            extraction = msgspec.structs.replace(extraction, nodes=nodes)
        return document, with_links(extraction, self.links.get(document.id, {}))


def with_links(extraction: Extraction, links: Mapping[int, ShardUpdate]) -> Extraction:
    """Return an extraction with some entities linked; the updates are given by the numbers of entities."""
    if not links:
        return extraction
    entities = list(extraction.entities)
    for index, link in links.items():
        # Links of single mentions did not determine the entity, and would contradict this one.
        mentions = tuple(msgspec.structs.replace(mention, kb_ids=()) for mention in entities[index].mentions)
        entities[index] = msgspec.structs.replace(
            entities[index], mentions=mentions, kb_ids=(link.value,), link_probability=link.probability
        )
    return msgspec.structs.replace(extraction, entities=tuple(entities))
