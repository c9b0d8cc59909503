"""The base of every record: typed, immutable, hashable and encoded to the same bytes every time."""

from __future__ import annotations

from typing import TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An immutable record; equal records encode to equal bytes because fields keep their declared order.

    A record refers to older objects only, so records form no reference cycles and need no garbage collection.
    """


R = TypeVar("R", bound=Record)

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def encode(record: Record) -> bytes:
    """Return the deterministic MessagePack form of a record."""
    return _ENCODER.encode(record)


def decode(data: bytes, kind: type[R]) -> R:
    """Return the record of type `kind` in `data`.

    Raises:
        msgspec.ValidationError: a field is missing, unknown or of another type; the message names its path.
    """
    return msgspec.msgpack.decode(data, type=kind)
