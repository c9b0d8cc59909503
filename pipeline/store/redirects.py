"""Redirects: links to a redirected id lead to its target, whenever the redirect was read.

Redirects are applied when the store is read: extraction sees links as they are in the text, so a redirect that is read
later changes no extraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
import msgspec

from pipeline.beam.bucketed_group_by_key import ValueType
from pipeline.beam.bucketed_lookup import BucketedLookup
from schemas import Document, Entity, Extraction, Mention

# Iterations; each one doubles the length of the chains of redirects that are resolved.
_ROUNDS = 2


class ResolveRedirects(beam.PTransform[Any, Any]):
    """(alias, target) pairs, one for each alias, to (alias, final target) pairs."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.buckets = buckets

    def expand(self, targets: Any) -> Any:
        """Apply to a PCollection of pairs."""
        for number in range(_ROUNDS):
            by_target = targets | f"by target {number}" >> beam.Map(_swap)
            targets = (
                (by_target, targets)
                | f"join {number}" >> BucketedLookup(self.buckets, str, ValueType(str, min))
                | f"hop {number}" >> beam.Map(follow_once)
            )
        return targets


class RedirectsByShard(beam.PTransform[Any, Any]):
    """PCollections of (id, shard) links and of (alias, final target) to (shard, (alias, final target)) pairs.

    Each shard gets the redirects of its documents, and no worker holds all redirects.
    """

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self.buckets = buckets

    def expand(self, inputs: tuple[Any, Any]) -> Any:
        """Apply to both in this order."""
        return (
            inputs
            | "join targets" >> BucketedLookup(self.buckets, int, ValueType(str, min))
            | "redirected" >> beam.FlatMap(redirected).with_output_types(tuple[int, tuple[str, str]])
        )


def apply_redirects(
    document: Document, extraction: Extraction, targets: Mapping[str, str]
) -> tuple[Document, Extraction]:
    """Return both with every knowledge-base id that is an alias replaced by its target."""
    if not targets:
        return document, extraction

    def ids(kb_ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(targets.get(id, id) for id in kb_ids))

    def mentions(given: tuple[Mention, ...]) -> tuple[Mention, ...]:
        return tuple(msgspec.structs.replace(mention, kb_ids=ids(mention.kb_ids)) for mention in given)

    def entities(given: tuple[Entity, ...]) -> tuple[Entity, ...]:
        return tuple(
            msgspec.structs.replace(entity, mentions=mentions(entity.mentions), kb_ids=ids(entity.kb_ids))
            for entity in given
        )

    given = None if document.entities is None else entities(document.entities)
    document = msgspec.structs.replace(document, mentions=mentions(document.mentions), entities=given)
    return document, msgspec.structs.replace(extraction, entities=entities(extraction.entities))


def follow_once(found: tuple[str, str, str | None]) -> tuple[str, str]:
    """Return an alias with the target of its target, if that is redirected itself."""
    target, alias, further = found
    return alias, target if further is None else further


def redirected(found: tuple[str, int, str | None]) -> list[tuple[int, tuple[str, str]]]:
    """Return an alias with its target for a shard that has a link to it; redirects in a circle have none."""
    alias, shard, target = found
    return [] if target in (None, alias) else [(shard, (alias, target))]


def _swap(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[1], pair[0]
