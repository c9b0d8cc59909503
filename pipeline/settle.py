"""Settling: one version of every document, none that was removed, and links that lead to where redirects point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.metrics.metric import Metrics

from pipeline.tally import Tally
from schemas import Document, Entity, Mention, Redirect, Removal, decode, encode

# Why a document that was read does not come through.
LEFT_OUT = ("removed", "superseded", "duplicate")
# A redirect to a redirect is followed so often; each round doubles the length of the chains that are resolved.
_ROUNDS = 2


@dataclass(eq=False)
class Settle(beam.PTransform[Any, Any]):
    """Documents, removals and redirects to the documents that count.

    The output is tagged: `documents`, and `left_out` with the reason of every document that does not come through:
    `removed`, `superseded` (there is a higher version) or `duplicate` (another one of the same version is kept; which
    one depends on the contents alone).
    """

    tally: Tally

    def expand(self, inputs: Mapping[str, Any]) -> Any:
        """Apply to PCollections named documents, removals and redirects."""
        documents = inputs["documents"]
        # Values cross the shuffle as bytes: joined PCollections of different types would otherwise be pickled.
        by_id = documents | "by id" >> beam.Map(lambda document: (document.id, encode(document)))
        removals = inputs["removals"] | "removed ids" >> beam.Map(_removed)
        hits = (
            {
                "links": documents | "links" >> beam.FlatMap(links).with_output_types(tuple[str, str]),
                "targets": inputs["redirects"] | "resolve" >> ResolveRedirects(),
            }
            | "join targets" >> beam.CoGroupByKey()
            | "redirected" >> beam.FlatMap(_redirected).with_output_types(tuple[str, tuple[str, str]])
        )
        return (
            {"documents": by_id, "removals": removals, "redirected": hits}
            | "join by id" >> beam.CoGroupByKey()
            | "settle"
            >> beam.ParDo(SettleDocument(self.tally))
            .with_output_types(Document, left_out=str)
            .with_outputs("left_out", main="documents")
        )


class ResolveRedirects(beam.PTransform[Any, Any]):
    """Redirects to (alias, final target) pairs, one for each alias."""

    def expand(self, redirects: Any) -> Any:
        """Apply to a PCollection of redirects."""
        targets = (
            redirects
            | "pairs" >> beam.Map(_pair).with_output_types(tuple[str, str])
            | "one target" >> beam.CombinePerKey(min).with_output_types(tuple[str, str])
        )
        for number in range(_ROUNDS):
            by_target = targets | f"by target {number}" >> beam.Map(_swap).with_output_types(tuple[str, str])
            targets = (
                {"aliases": by_target, "next": targets}
                | f"join {number}" >> beam.CoGroupByKey()
                | f"hop {number}" >> beam.FlatMap(_hop).with_output_types(tuple[str, str])
            )
        return targets


class SettleDocument(beam.DoFn):
    """Everything of one id to its document, if it has one left."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.left_out = Metrics.counter("factmill.settle", "left_out")

    def process(self, group: tuple[str, Mapping[str, Iterable[Any]]]) -> Iterator[Any]:
        """Yield the document, and by tag why others of this id are left out."""
        _, joined = group
        versions = [decode(data, Document) for data in joined["documents"]]
        removed = any(True for _ in joined["removals"])
        reasons = ["removed"] * len(versions)
        if versions and not removed:
            kept, reasons = newest(versions)
            self.tally.add(done=1)
            yield redirect_links(kept, dict(joined["redirected"]))
        self.left_out.inc(len(reasons))
        yield from (beam.pvalue.TaggedOutput("left_out", reason) for reason in reasons)

    def finish_bundle(self) -> None:
        """Show the counts."""
        self.tally.flush()


def newest(versions: Iterable[Document]) -> tuple[Document, list[str]]:
    """Return the document that counts among those of one id, and why each of the others does not.

    The highest version wins; among equal versions the one whose bytes come last, so that the order does not matter.
    """
    ranked = sorted(versions, key=lambda document: (document.version, encode(document)))
    kept = ranked.pop()
    return kept, ["superseded" if other.version < kept.version else "duplicate" for other in ranked]


def links(document: Document) -> list[tuple[str, str]]:
    """Return (knowledge-base id, document id) for every id that a given mention or entity carries."""
    found: set[str] = set()
    for mention in document.mentions:
        found.update(mention.kb_ids)
    for entity in document.entities or ():
        found.update(entity.kb_ids)
        for mention in entity.mentions:
            found.update(mention.kb_ids)
    return [(id, document.id) for id in sorted(found)]


def redirect_links(document: Document, targets: Mapping[str, str]) -> Document:
    """Return the document with every knowledge-base id that is an alias replaced by its target."""
    if not targets:
        return document

    def ids(kb_ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(targets.get(id, id) for id in kb_ids))

    def mentions(given: tuple[Mention, ...]) -> tuple[Mention, ...]:
        return tuple(msgspec.structs.replace(mention, kb_ids=ids(mention.kb_ids)) for mention in given)

    def entity(given: Entity) -> Entity:
        return msgspec.structs.replace(given, mentions=mentions(given.mentions), kb_ids=ids(given.kb_ids))

    entities = None if document.entities is None else tuple(map(entity, document.entities))
    return msgspec.structs.replace(document, mentions=mentions(document.mentions), entities=entities)


def _removed(removal: Removal) -> tuple[str, bytes]:
    return removal.document_id, b""


def _pair(redirect: Redirect) -> tuple[str, str]:
    return redirect.alias, redirect.target


def _swap(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[1], pair[0]


def _hop(group: tuple[str, Mapping[str, Iterable[str]]]) -> Iterator[tuple[str, str]]:
    target, joined = group
    further = next(iter(joined["next"]), target)
    for alias in joined["aliases"]:
        yield alias, further


def _redirected(group: tuple[str, Mapping[str, Iterable[str]]]) -> Iterator[tuple[str, tuple[str, str]]]:
    alias, joined = group
    target = next(iter(joined["targets"]), alias)
    if target != alias:  # redirects that run in a circle lead nowhere
        for document_id in joined["links"]:
            yield document_id, (alias, target)
