"""GroupByKey and CombinePerKey over buckets of keys, with values in compressed blocks.

Beam's GroupByKey handles every value by itself, which costs more than most steps do. Here keys are hashed into a fixed
number of buckets. Each worker combines the values of a key as far as it can and sends blocks of many values to a
bucket; the bucket is grouped in memory, and its groups are emitted in the order of their keys. The number of buckets
follows from the size of the corpus, so that no bucket gets large, and not from the number of workers.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import apache_beam as beam
import msgspec
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows

from pipeline.beam.memory import release_free_memory
from pipeline.beam.spill import Spill, read_blocks

# A text is hashed to a bucket; a number is that of its bucket.
Key = str | int
# Bytes of a block before compression, bytes of all open blocks of a worker, and keys that it combines at a time.
_BLOCK = 1 << 20
_BLOCKS = 1 << 25
_KEYS = 1 << 15
# Shards of a store for each bucket, and the fewest buckets of a store that has as many shards.
_SHARDS = 8
_FEWEST = 16

_SENT = tuple[int, tuple[int, bytes]]
_ENCODER = msgspec.msgpack.Encoder()
_HEAD = 5
_CODEC = pa.Codec("zstd", compression_level=1)


class ValueType(NamedTuple):
    """The type of the values of one input.

    Attributes:
        kind: the type, as msgspec knows it.
        add: combines two values and may change the first; it must be associative and commutative. With None the values
            of a key are collected in a list.
    """

    kind: Any
    add: Callable[[Any, Any], Any] | None = None


def buckets_for(shards: int) -> int:
    """Return the number of buckets for a store with this number of shards."""
    return max(min(shards, _FEWEST), shards // _SHARDS)


class BucketedGroupByKey(beam.PTransform[Any, Any]):
    """PCollections of (key, value) pairs to one tuple for each key: the key, and its values of each input.

    The values of an input that combines are its combined value, or None; those of another input are a list. A key that
    is a number is the number of its bucket.
    """

    def __init__(self, buckets: int, *sides: ValueType) -> None:
        super().__init__()
        self.buckets = buckets
        self.sides = sides

    def expand(self, inputs: Sequence[Any]) -> Any:
        """Apply to a tuple with a PCollection for each input, or a tuple of several."""
        blocks = group_into_buckets(inputs, self.buckets, self.sides)
        return blocks | "group" >> beam.FlatMap(_groups, self.sides).with_output_types(tuple[Any, ...])


def group_into_buckets(inputs: Sequence[Any], buckets: int, sides: Sequence[ValueType]) -> Any:
    """Return a PCollection of (bucket, blocks), each block with the number of the input that it comes from."""
    blocks = [
        pairs | f"pack {side} {number}" >> PackBlocks(buckets, values, side)
        for side, (values, given) in enumerate(zip(sides, inputs, strict=True))
        for number, pairs in enumerate(given if isinstance(given, tuple) else (given,))
    ]
    return blocks | "blocks" >> beam.Flatten() | "bucket" >> beam.GroupByKey()


@dataclass(eq=False)
class PackBlocks(beam.PTransform[Any, Any]):
    """(key, value) pairs to (bucket, (side, block))."""

    buckets: int
    values: ValueType
    side: int = 0

    def expand(self, pairs: Any) -> Any:
        """Apply to a PCollection of pairs."""
        return pairs | beam.ParDo(_Pack(self, Spill.of(pairs.pipeline))).with_output_types(_SENT)


class _Block:
    """Pairs for one bucket, as a MessagePack array whose header is written last."""

    def __init__(self) -> None:
        self.data = bytearray(_HEAD)
        self.pairs = 0

    def add(self, pair: tuple[Key, Any]) -> int:
        """Add a pair, and return its number of bytes."""
        before = len(self.data)
        _ENCODER.encode_into(pair, self.data, -1)
        self.pairs += 1
        return len(self.data) - before

    def compressed(self) -> bytes:
        self.data[:_HEAD] = b"\xdd" + self.pairs.to_bytes(4, "big")
        data: bytes = _CODEC.compress(self.data, asbytes=True)
        return len(self.data).to_bytes(4, "big") + data


class _Pack(beam.DoFn):
    def __init__(self, how: PackBlocks, spill: Spill[int]) -> None:
        self.buckets, (_, self.add), self.side = how.buckets, how.values, how.side
        self.spill = spill

    def start_bundle(self) -> None:
        self.sums: dict[Key, Any] = {}
        self.blocks: defaultdict[int, _Block] = defaultdict(_Block)
        self.size = 0

    def process(self, pair: tuple[Key, Any]) -> Iterable[Any]:
        if self.add is None:
            return self._put(pair)
        combine_values([pair], self.sums, self.add)
        return self._put_sums() if len(self.sums) > _KEYS else ()

    def finish_bundle(self) -> Iterator[Any]:
        for sent in self._put_sums():
            yield GlobalWindows.windowed_value(sent)
        large = self.size > _BLOCK
        for sent in self._take(list(self.blocks)):
            yield GlobalWindows.windowed_value(sent)
        for bucket, places in self.spill.close():
            yield GlobalWindows.windowed_value((bucket, (self.side, places)))
        if large:
            release_free_memory()

    def _put_sums(self) -> Iterator[Any]:
        sums, self.sums = self.sums, {}
        return chain.from_iterable(map(self._put, sums.items()))

    def _put(self, pair: tuple[Key, Any]) -> Iterable[Any]:
        key = pair[0]
        bucket = key if isinstance(key, int) else zlib.crc32(key.encode()) % self.buckets
        block = self.blocks[bucket]
        self.size += block.add(pair)
        if self.size > _BLOCKS:
            return self._take(list(self.blocks))
        return self._take([bucket]) if len(block.data) > _BLOCK else ()

    def _take(self, buckets: Iterable[int]) -> Iterator[Any]:
        for bucket in buckets:
            block = self.blocks.pop(bucket)
            self.size -= len(block.data) - _HEAD
            for _, sent in self.spill.put(bucket, block.compressed()):
                yield bucket, (self.side, sent)


def pack_block(pairs: Iterable[tuple[Key, Any]]) -> bytes:
    """Return a block of some pairs."""
    block = _Block()
    for pair in pairs:
        block.add(pair)
    return block.compressed()


def unpack_blocks(sent: bytes, kind: Any) -> Iterator[tuple[Key, Any]]:
    """Yield the pairs of a block, or of all blocks in a file that `sent` refers to; values are of type `kind`."""
    decode = _decoder(kind).decode
    for block in read_blocks(sent):
        yield from decode(_CODEC.decompress(memoryview(block)[4:], int.from_bytes(block[:4], "big")))


@cache
def _decoder(kind: Any) -> Any:
    return msgspec.msgpack.Decoder(list[tuple[Key, kind]])


def _groups(bucket: tuple[int, Iterable[tuple[int, bytes]]], sides: Sequence[ValueType]) -> Iterator[tuple[Any, ...]]:
    found: list[dict[Key, Any]] = [{} for _ in sides]
    for side, block in bucket[1]:
        kind, add = sides[side]
        combine_values(unpack_blocks(block, kind), found[side], add)
    for key in sorted(set().union(*found)):
        yield key, *(values.pop(key, None if side.add else []) for side, values in zip(sides, found, strict=True))


def combine_values(
    pairs: Iterable[tuple[Key, Any]], sums: dict[Key, Any], add: Callable[[Any, Any], Any] | None
) -> None:
    """Combine the values of pairs with those of their keys, or append them to lists if they do not combine."""
    if add is None:
        for key, value in pairs:
            sums.setdefault(key, []).append(value)
    else:
        for key, value in pairs:
            sums[key] = add(sums[key], value) if key in sums else value
