"""Beam coders of our records: the same bytes for equal records, so that they may be keys and survive any retry."""

from __future__ import annotations

from typing import Any

from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry

from pipeline.linking.dictionary import Entry
from pipeline.linking.target_profiles import Profile
from pipeline.merging.independence import DocumentEdges
from pipeline.resolution.clustering import Match
from pipeline.resolution.node_profiles import Profile as NodeProfile
from pipeline.store.shard_updates import Note
from schemas import (
    DeadLetter,
    Document,
    Edge,
    Evidence,
    Extraction,
    LinkedEntity,
    MergedNode,
    Node,
    Record,
    Redirect,
    Removal,
    Skipped,
    decode,
    encode,
)

RECORDS: tuple[type[Record], ...] = (
    Document,
    Extraction,
    DeadLetter,
    Skipped,
    Removal,
    Redirect,
    DocumentEdges,
    Note,
    NodeProfile,
    Match,
    LinkedEntity,
    MergedNode,
    Entry,
    Profile,
    Node,
    Edge,
    Evidence,
)


class RecordCoder(Coder):
    """Encodes records of one type with `schemas.encode`."""

    def __init__(self, kind: type[Record]) -> None:
        self.kind = kind

    def encode(self, value: Record) -> bytes:
        """Return the deterministic bytes of a record."""
        return encode(value)

    def decode(self, encoded: bytes) -> Record:
        """Return the record in `encoded`."""
        return decode(encoded, self.kind)

    def is_deterministic(self) -> bool:
        """Equal records encode to equal bytes."""
        return True

    def to_type_hint(self) -> Any:
        """Return the record type."""
        return self.kind

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> Any:
        """Return the coder of a record type."""
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and self.kind is other.kind

    def __hash__(self) -> int:
        return hash(self.kind)


def register_coders() -> None:
    """Make Beam use `RecordCoder` for every record type; PCollections hinted with one are then never pickled."""
    for kind in RECORDS:
        registry.register_coder(kind, RecordCoder)
