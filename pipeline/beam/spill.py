"""Spilling the blocks of a shuffle to files: only references to the blocks go through Beam's shuffle.

Beam's runner on one machine keeps everything that is shuffled in memory until the pipeline ends, in one process. On a
cluster the runner's own shuffle uses disks, and workers need not share a file system, so nothing is spilled.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from array import array
from collections import defaultdict
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Generic, TypeVar
from uuid import uuid4

import msgspec
from apache_beam import Pipeline
from apache_beam.options.pipeline_options import PipelineOptions

# Marks references: a block begins with its size before compression, which is never 0.
_ELSEWHERE = bytes(4)
# Smaller blocks are sent directly.
_SMALL = 512
# References that are sent together. A corpus has many more blocks for each bucket, of some kilobytes each.
_TOGETHER = 64

# A file, and the offset and size of each block.
_PLACES = msgspec.msgpack.Decoder(tuple[str, bytes])
# The destination of blocks: a bucket, or a file.
To = TypeVar("To", bound=Hashable)


class SpillOptions(PipelineOptions):
    """Options of Beam for the folder of blocks."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--spill_folder", help="folder for the blocks of shuffles, which all workers read")


class Spill(Generic[To]):
    """Writes the blocks of one bundle to a file; a bundle that runs twice leaves a file that nobody reads.

    Args:
        folder: folder of the files; with None every block is sent directly.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._path = ""
        self._file = -1
        self._size = 0
        self._places: defaultdict[To, array[int]] = defaultdict(_new_places)

    @staticmethod
    def of(pipeline: Pipeline) -> Spill[To]:
        """Return a spill to the folder in the options of a pipeline."""
        return Spill(pipeline.options.view_as(SpillOptions).spill_folder)

    def put(self, to: To, block: bytes) -> Iterator[tuple[To, bytes]]:
        """Add a block, and yield what is sent now: the block, references to several blocks, or nothing yet.

        Raises:
            OSError: the file cannot be written.
        """
        if self._folder is None or len(block) < _SMALL:
            yield to, block
            return
        if self._file < 0:
            self._path = str(Path(self._folder) / uuid4().hex)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        offset, rest = self._size, memoryview(block)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._size += len(block)
        places = self._places[to]
        places.extend((offset, len(block)))
        if len(places) == 2 * _TOGETHER:
            yield to, self._sent(to)

    def close(self) -> Iterator[tuple[To, bytes]]:
        """Close the file, and yield the references that have not been sent yet."""
        yield from ((to, self._sent(to)) for to in list(self._places))
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size = -1, 0

    def _sent(self, to: To) -> bytes:
        return _ELSEWHERE + msgspec.msgpack.encode((self._path, self._places.pop(to).tobytes()))


def _new_places() -> array[int]:
    # 64-bit numbers: a worker keeps many references, and two Python integers and a tuple for each take megabytes.
    return array("Q")


def read_blocks(sent: bytes) -> Iterator[bytes]:
    """Yield a block that was sent directly, or the blocks that references point to.

    Raises:
        OSError: their file does not exist.
    """
    if not sent.startswith(_ELSEWHERE):
        yield sent
        return
    path, data = _PLACES.decode(sent[len(_ELSEWHERE) :])
    places = _new_places()
    places.frombytes(data)
    file = os.open(path, os.O_RDONLY)
    try:
        for offset, size in zip(places[::2], places[1::2], strict=True):
            yield os.pread(file, size, offset)
    finally:
        os.close(file)
