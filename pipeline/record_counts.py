"""Counts of records of a build: inputs and outputs of every stage, and the check that no record was lost."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pipeline.dead_letters import BuildFailed

# Why a document that was read does not come through: another of its id does, or it was withdrawn.
OTHER_TEXT = "same id, other text"
OTHER_ANNOTATIONS = "same id, other annotations"
LEFT_OUT = ("removed", "superseded", "duplicate", OTHER_TEXT, OTHER_ANNOTATIONS)
CONFLICTS = "conflicts"  # stage of the entries that name documents of one id with different texts
# Metadata of documents with numbers of what readers could not make words of.
LOST_IN_READING = ("templates left out", "undecodable bytes")
REPEATED = "repeated dead letter"
# (stage, what): for example ("read", "documents"), ("skipped", "redirect page"), ("dead letters", "extractor failed").
CountKey = tuple[str, str]


class Counts(msgspec.Struct, frozen=True):
    """Records in and out of the stages.

    Attributes:
        read: how many documents, dead letters, skipped records, removals and redirects the readers gave.
        skipped: records left out on purpose, by reason; documents with an equal or higher version elsewhere, removed
            documents and repeated dead letters are here too.
        dead_letters: rows of that table, by `stage: reason`.
        dropped: facts, edges and evidence that were left out, by reason.
        rules: findings of the rules of the relation schema.
        rows: rows of the tables.
        conflicts: documents that were left out though their text or annotations differ from those of the document with
            the same id that was kept, each with both sources; the first ones of every shard.
        change: documents that were `added`, `replaced`, `retried` (they had failed before), `removed` and `kept`.
        extracted: documents of which facts were extracted: `now`, or `before` this run was interrupted.
        linked: entities of documents by how they were linked, or why not; nothing where no linking was done.
        languages: documents of the graph by the code of their language, or `unknown`.
        lost: what readers could not make words of, in all documents of the graph: templates that were left out in
            sentences, and bytes that do not belong to the encoding.
        resolution: nodes before resolution, those merged with others by what their names have to do with each other.
    """

    read: dict[str, int]
    skipped: dict[str, int]
    dead_letters: dict[str, int]
    dropped: dict[str, int]
    rules: dict[str, int]
    rows: dict[str, int]
    change: dict[str, int]
    extracted: dict[str, int]
    linked: dict[str, int] = {}
    conflicts: dict[str, int] = {}
    resolution: dict[str, int] = {}
    languages: dict[str, int] = {}
    lost: dict[str, int] = {}


def counts_of(entries: Mapping[CountKey, int]) -> Counts:
    """Return the counts of all entries, those of each stage sorted by name."""

    def sorted_of(wanted: str) -> dict[str, int]:
        return dict(sorted((what, number) for (stage, what), number in entries.items() if stage == wanted))

    return Counts(
        read=sorted_of("read"),
        skipped=sorted_of("skipped"),
        dead_letters=sorted_of("dead letters"),
        dropped=sorted_of("dropped"),
        rules=sorted_of("rules"),
        rows=sorted_of("rows"),
        change=sorted_of("change"),
        extracted=sorted_of("extracted"),
        linked=sorted_of("linked"),
        conflicts=sorted_of(CONFLICTS),
        resolution=sorted_of("resolution"),
        languages=sorted_of("languages"),
        lost=sorted_of("lost"),
    )


def check_balance(entries: Mapping[CountKey, int], rows: Mapping[str, int], documents: int, unread: int) -> None:
    """Check that every record is accounted for, from what was read to the store and from there to the tables.

    Args:
        entries: the counts of the pipeline.
        rows: rows of each table in its files.
        documents: number of documents in the store.
        unread: number of dead letters of reading before the change.

    Raises:
        BuildFailed: records are missing or duplicated; the message has both sides.
    """
    counts = counts_of(entries)
    read, change, skipped = counts.read, counts.change, counts.skipped
    late = sum(number for reason, number in counts.dead_letters.items() if not reason.startswith("read: "))
    early = sum(counts.dead_letters.values()) - late
    apart = sum(skipped.get(reason, 0) for reason in LEFT_OUT)
    repeated = skipped.get(REPEATED, 0)
    given = sum(change.get(what, 0) for what in ("added", "replaced", "retried"))
    new, gone = (entries.get(("letters", what), 0) for what in ("new", "removed"))
    sides = {
        "documents read": (read.get("documents", 0), given + apart),
        "documents in the store": (documents, given + change.get("kept", 0)),
        "rows of documents and their dead letters": (documents, rows["documents"] + late),
        "dead letters read": (read.get("dead letters", 0), new + repeated),
        "dead letters of reading": (unread + new - gone, early),
        "skipped records": (read.get("skipped", 0), sum(skipped.values()) - apart - repeated),
        "rows of dead letters": (early + late, rows["dead_letters"]),
        **{f"rows of {name}": (counts.rows.get(name, 0), number) for name, number in rows.items()},
    }
    wrong = [f"{what}: {left} are not {right}" for what, (left, right) in sides.items() if left != right]
    if wrong:
        raise BuildFailed(f"the build lost or doubled records, do not use its result ({'; '.join(wrong)})")
