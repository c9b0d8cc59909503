"""Beam coder of our records: the same bytes for equal records, so that they may be keys and survive any retry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apache_beam.coders import Coder
from apache_beam.coders.typecoders import registry

from schemas import Record, decode, encode


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


def register_record_coders(kinds: Iterable[type[Record]]) -> None:
    """Make Beam use `RecordCoder` for some record types; PCollections hinted with one are then never pickled."""
    for kind in kinds:
        registry.register_coder(kind, RecordCoder)
