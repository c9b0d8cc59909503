"""Accounts of a build: what every stage took in and gave out, and the proof that nothing was lost on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pipeline.failures import BuildFailed

# (stage, what): for example ("read", "documents"), ("skipped", "redirect page"), ("dead letters", "extractor failed").
Entry = tuple[str, str]


class Counts(msgspec.Struct, frozen=True):
    """Records in and out of the stages.

    Attributes:
        read: how many documents, dead letters, skipped records, removals and redirects the readers gave.
        skipped: records left out on purpose, by reason; documents with an equal or higher version elsewhere and
            removed documents are here too.
        dead_letters: by `stage: reason`.
        dropped: facts, edges and evidence that were left out, by reason.
        rows: rows of the tables.
    """

    read: dict[str, int]
    skipped: dict[str, int]
    dead_letters: dict[str, int]
    dropped: dict[str, int]
    rows: dict[str, int]


def counts_of(entries: Mapping[Entry, int]) -> Counts:
    """Return the counts of all entries, those of each stage sorted by name."""

    def sorted_of(wanted: str) -> dict[str, int]:
        return dict(sorted((what, number) for (stage, what), number in entries.items() if stage == wanted))

    return Counts(
        read=sorted_of("read"),
        skipped=sorted_of("skipped"),
        dead_letters=sorted_of("dead letters"),
        dropped=sorted_of("dropped"),
        rows=sorted_of("rows"),
    )


def check_balance(counts: Counts, rows: Mapping[str, int], left_out: Iterable[str]) -> None:
    """Check that every record is accounted for.

    Args:
        counts: what the pipeline counted.
        rows: rows of each table as its files say.
        left_out: reasons in `counts.skipped` that concern documents which had been read.

    Raises:
        BuildFailed: something is missing or there twice; the message has both sides.
    """
    read = counts.read
    late = sum(number for reason, number in counts.dead_letters.items() if not reason.startswith("read: "))
    early = sum(counts.dead_letters.values()) - late
    apart = sum(counts.skipped.get(reason, 0) for reason in left_out)
    sides = {
        "dead letters read": (read.get("dead letters", 0), early),
        "skipped records": (read.get("skipped", 0), sum(counts.skipped.values()) - apart),
        "documents read": (read.get("documents", 0), rows["documents"] + late + apart),
        "rows of dead letters": (early + late, rows["dead_letters"]),
        **{f"rows of {name}": (counts.rows.get(name, 0), number) for name, number in rows.items()},
    }
    wrong = [f"{what}: {left} are not {right}" for what, (left, right) in sides.items() if left != right]
    if wrong:
        raise BuildFailed(f"the build lost or doubled records, do not use its result ({'; '.join(wrong)})")
