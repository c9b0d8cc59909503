"""Annotated documents for training and evaluation, read with the readers that builds use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from runners.errors import UserError
from schemas import DeadLetter, Document


def read_annotated(paths: Iterable[Path], format: str | None = None) -> list[Document]:
    """Return the documents of the files in their order, and say on standard error what was not readable.

    Raises:
        UserError: the files hold no document with annotated entities.
    """
    from pipeline.readers import read_path

    paths = list(paths)
    documents: list[Document] = []
    reasons: Counter[str] = Counter()
    for path in paths:
        for item in read_path(path, format):
            if isinstance(item, Document):
                documents.append(item)
            elif isinstance(item, DeadLetter):
                reasons[item.reason] += 1
    names = ", ".join(str(path) for path in paths)
    for reason, count in sorted(reasons.items()):
        click.echo(f"Warning: {count:,} records of {names} are left out: {reason}", err=True)
    if not any(document.entities for document in documents):
        raise UserError(
            f"no annotated entities in {names}: give DocRED JSON, PubTator or GDA files with entities and relations"
        )
    return documents


def part_of(documents: list[Document], positions: str | None) -> list[Document]:
    """Return the documents at `START:STOP` (counted from 0, either may be missing), or all when it is None.

    Raises:
        UserError: the text is no such range, or it holds no document.
    """
    if positions is None:
        return documents
    start, colon, stop = positions.partition(":")
    try:
        if not colon:
            raise ValueError
        chosen = documents[slice(int(start) if start else None, int(stop) if stop else None)]
    except ValueError:
        raise UserError(f"--documents takes START:STOP, for example 250:500, not '{positions}'") from None
    if not chosen:
        raise UserError(f"--documents {positions} holds none of the {len(documents):,} documents")
    return chosen
