"""Reconciliation of versions: which documents a shard keeps, of those that it holds and those that were read.

The result is the same for any order. Everything that concerns one id is in one shard. Nothing is extracted here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import msgspec

from pipeline.record_counts import CONFLICTS, LEFT_OUT, OTHER_ANNOTATIONS, OTHER_TEXT, REPEATED, CountKey
from pipeline.store.store import DOCUMENT, DOCUMENTS, FAILED, REDIRECT, REMOVAL, UNREAD, Row, extracted_row, other_row
from schemas import DeadLetter, Document, Extraction, Redirect, Removal, decode, encode

_NAMED = 20  # conflicts of a shard that are named

Incoming = Document | Removal | Redirect | DeadLetter


@dataclass
class ReconciledShard:
    """The new content of a shard.

    Attributes:
        rows: rows that need no extraction.
        documents: documents to extract, sorted by id.
        counts: what was left out (`skipped`), and what changed: documents that were `added`, `replaced`, `retried`
            (they had failed before), `removed` and `kept`, and dead letters of reading that are new.
    """

    rows: list[Row]
    documents: list[Document] = field(default_factory=list)
    counts: Counter[CountKey] = field(default_factory=Counter)


def reconcile(held: Iterable[Row], given: Iterable[Incoming]) -> ReconciledShard:
    """Return the new content of a shard that holds some rows when more records were read.

    - An id that a source withdraws has no document, regardless of the order of reading.
    - The highest version of a document counts. Of equal versions the new one does, because reading a document again
      means to replace it; among several new ones see `latest_version`.
    - A document that is equal to the held one stays, and is extracted again only if its extraction had failed.
    - A document with unchanged text and mentions keeps its extraction.
    - A redirect replaces a held one with the same alias.
    """
    versions: defaultdict[str, list[Document]] = defaultdict(list)
    removals: set[Row] = set()
    redirects: list[Redirect] = []
    letters: list[Row] = []
    for item in given:
        if isinstance(item, Document):
            versions[item.id].append(item)
        elif isinstance(item, Redirect):
            redirects.append(item)
        else:
            (removals.add if isinstance(item, Removal) else letters.append)(other_row(item))
    by_kind: defaultdict[str, dict[str, Row]] = defaultdict(dict)
    unread: set[Row] = set()
    for row in held:
        if row.kind == UNREAD:
            unread.add(row)
        else:
            by_kind[DOCUMENT if row.kind in DOCUMENTS else row.kind][row.id] = row
    documents = by_kind[DOCUMENT]
    withdrawn = removals | set(by_kind[REMOVAL].values())
    counts: Counter[CountKey] = Counter()
    for row in withdrawn:
        if documents.pop(row.id, None) is not None:
            counts["change", "removed"] += 1
    gone = {row.id for row in withdrawn}
    result = ReconciledShard([], counts=counts)
    for id in sorted(versions):
        if id in gone:
            counts["skipped", "removed"] += len(versions[id])
            continue
        document, reasons = latest_version(versions[id])
        if len(versions[id]) > 1:
            _name_conflicts(counts, document, versions[id])
        what, extracted = _against(documents.get(id), document)
        counts.update(("skipped", reason) for reason in reasons)
        counts["skipped" if what in LEFT_OUT else "change", what] += 1
        if what in LEFT_OUT:
            continue
        documents.pop(id, None)
        if extracted is None:
            result.documents.append(document)
        else:
            result.rows.append(extracted)
    counts["change", "kept"] += len(documents)
    aliases = {row.id: row for row in by_kind[REDIRECT].values()} | unique_redirects(redirects)
    new = set(letters) - unread
    counts["skipped", REPEATED] += len(letters) - len(new)
    counts["letters", "new"] += len(new)
    result.rows += [*documents.values(), *withdrawn, *aliases.values(), *unread, *new]
    result.counts = +counts
    return result


def _against(held: Row | None, document: Document) -> tuple[str, Row | None]:
    """Return the effect of a new document on the held one, and its row if it needs no extraction."""
    if held is None:
        return "added", None
    if held.version > document.version:
        return "superseded", None
    if held.kind == FAILED:
        return "retried" if held.record == encode(document) else "replaced", None
    if held.record == encode(document):
        return "duplicate", None
    if content_of(decode(held.record, Document)) == content_of(document):
        return "replaced", extracted_row(document, decode(held.found, Extraction))
    return "replaced", None


def latest_version(versions: Iterable[Document]) -> tuple[Document, list[str]]:
    """Return the document that counts among those of one id, and why each of the others does not.

    The highest version wins; among equal versions the one whose bytes come last, so that the order does not matter.
    """
    ranked = sorted(versions, key=lambda document: (document.version, encode(document)))
    kept = ranked.pop()
    return kept, [_why_not(other, kept) for other in ranked]


def _why_not(other: Document, kept: Document) -> str:
    """Return why a document does not count where another of its id does."""
    if other.version < kept.version:
        return "superseded"
    if (other.title, other.text) != (kept.title, kept.text):
        return OTHER_TEXT
    return "duplicate" if content_of(other) == content_of(kept) else OTHER_ANNOTATIONS


def _name_conflicts(counts: Counter[CountKey], kept: Document, versions: Iterable[Document]) -> None:
    """Count documents that are no duplicates of the one that counts, with both sources; a few of a shard are enough."""
    for other in sorted(versions, key=lambda document: document.source):
        if sum(stage == CONFLICTS for stage, _ in counts) >= _NAMED:
            return
        if _why_not(other, kept) in (OTHER_TEXT, OTHER_ANNOTATIONS):
            counts[CONFLICTS, f"'{other.id}' of '{other.source}' differs from that of '{kept.source}'"] += 1


def content_of(document: Document) -> Document:
    """Return the document without fields that no extractor may depend on: its source, metadata and version."""
    return msgspec.structs.replace(document, source="", metadata=(), version=0)


def unique_redirects(redirects: Iterable[Redirect]) -> dict[str, Row]:
    """Return one redirect for every alias: the one with the alphabetically first target."""
    ranked = sorted(redirects, key=lambda redirect: (redirect.target, redirect.source), reverse=True)
    return {redirect.alias: other_row(redirect) for redirect in ranked}


def merge_shards(first: Iterable[Row], second: Iterable[Row]) -> ReconciledShard:
    """Return the union of two shards, as if everything had been read at once; the order does not matter.

    Changes are counted relative to the first one. Of two equal versions the one with the greater bytes counts.
    """
    left, right = (list(rows) for rows in (first, second))
    gone = {row.id for row in (*left, *right) if row.kind == REMOVAL}
    rows: set[Row] = {row for row in (*left, *right) if row.kind in (REMOVAL, UNREAD)}
    rows.update(
        unique_redirects(decode(row.record, Redirect) for row in (*left, *right) if row.kind == REDIRECT).values()
    )
    here, there = ({row.id: row for row in side if row.kind in DOCUMENTS} for side in (left, right))
    counts: Counter[CountKey] = Counter()
    for id in here.keys() | there.keys():
        sides = [side[id] for side in (here, there) if id in side]
        if id in gone:
            counts["change", "removed"] += id in here
            counts["skipped", "removed"] += id in there
            continue
        best = max(sides, key=_rank)
        rows.add(best)
        if id not in there or best == here.get(id):
            counts["change", "kept"] += 1
            if id in there:
                other, kept = (decode(row.record, Document) for row in (there[id], best))
                counts["skipped", _why_not(other, kept)] += 1
                _name_conflicts(counts, kept, [other])
        else:
            counts["change", "replaced" if id in here else "added"] += 1
    return ReconciledShard(sorted(rows), counts=+counts)


def _rank(row: Row) -> tuple[int, bytes, bool, bytes]:
    # If one of two equal documents failed, for lack of memory for example, the other one is better.
    return row.version, row.record, row.kind == DOCUMENT, row.found


def delete_documents(held: Iterable[Row], ids: Collection[str]) -> ReconciledShard:
    """Return a shard without some documents and their dead letters, as if they had never been read."""
    result = ReconciledShard([])
    for row in held:
        if row.id in ids and row.kind in (*DOCUMENTS, UNREAD):
            result.counts["change" if row.kind in DOCUMENTS else "letters", "removed"] += 1
        else:
            result.counts["change", "kept"] += row.kind in DOCUMENTS
            result.rows.append(row)
    result.counts = +result.counts
    return result
