"""Annotated documents for training and evaluation, read with the readers that builds use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from runners.errors import UserError
from schemas import DeadLetter, Document, RelationSchema

_SHOWN = 5  # names in a message


def read_annotated(paths: Iterable[Path], format: str | None = None) -> list[Document]:
    """Return the annotated documents of the files in their order; warn about the records that cannot be used.

    Raises:
        UserError: the files hold no document with annotated entities.
    """
    from pipeline.readers import read_path

    paths = list(paths)
    documents: list[Document] = []
    reasons: Counter[str] = Counter()
    for path in paths:
        for item in read_path(path, format):
            if isinstance(item, Document) and item.entities is not None:
                documents.append(item)
            elif isinstance(item, Document):
                reasons["document without annotated entities"] += 1
            elif isinstance(item, DeadLetter):
                reasons[item.reason] += 1
    names = ", ".join(str(path) for path in paths)
    for reason, count in sorted(reasons.items()):
        click.echo(f"Warning: {names}: {count:,} × {reason}", err=True)
    if not any(document.entities for document in documents):
        raise UserError(
            f"no annotated entities in {names}: give DocRED JSON, PubTator or GDA files with entities and relations"
        )
    return documents


def check_known(documents: Sequence[Document], schema: RelationSchema, what: str, types: bool = True) -> None:
    """Check that annotations use only the relations, and the entity types, of a relation schema.

    Args:
        documents: the annotated documents.
        schema: the relation schema.
        what: whose schema it is, for the message.
        types: whether entity types matter.

    Raises:
        UserError: they use others; the message names them and those of the schema.
    """
    relations = Counter(fact.relation for document in documents for fact in document.facts)
    entities = Counter(entity.type for document in documents for entity in document.entities or ())
    known = {"relations": (relations, tuple(schema.index)), "entity types": (entities, schema.entity_types)}
    for kind, (used, there) in known.items():
        unknown = {name: number for name, number in used.items() if name not in there}
        if unknown and (types or kind == "relations"):
            raise UserError(
                f"{what} does not know these {kind} of the annotated documents: {_some(unknown)}; it knows "
                f"{_some(dict.fromkeys(there))}: give documents that are annotated with its own, or another extractor"
            )


def _some(names: Mapping[str, int | None]) -> str:
    """Return the most frequent of some names with their numbers."""
    ranked = sorted(names.items(), key=lambda item: (-(item[1] or 0), item[0]))
    shown = [name if number is None else f"{name} ({number:,})" for name, number in ranked[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(ranked) - _SHOWN} more" if len(ranked) > _SHOWN else "")


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
