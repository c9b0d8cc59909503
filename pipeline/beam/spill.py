"""Blocks of a shuffle lie in files where all workers see one disk, and only their places travel.

Beam's runner on one machine keeps in its memory whatever is shuffled, to the end of the pipeline, and carries it
through one process. On a cluster the runner's own shuffle goes to disk, and workers need not see the same one.
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

# A block begins with the number of its bytes before compression, which is never this.
_ELSEWHERE = bytes(4)
# Smaller blocks travel themselves.
_SMALL = 512
# Places that travel together. A corpus makes many more blocks for a bucket than that, each from a few kilobytes on.
_TOGETHER = 64

# A file, and for each block where it begins and how many bytes it has.
_PLACES = msgspec.msgpack.Decoder(tuple[str, bytes])
# Where blocks go: what is sent is for the same bucket, or file.
To = TypeVar("To", bound=Hashable)


class SpillOptions(PipelineOptions):
    """Options of Beam that say where blocks lie."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--spill_folder", help="where shuffles put their blocks, for all workers to read")


class Spill(Generic[To]):
    """The blocks of one bundle on their way to disk; a bundle that runs twice leaves a file that nobody reads.

    Args:
        folder: where files go; None: everything travels.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._path = ""
        self._file = -1
        self._size = 0
        self._places: defaultdict[To, array[int]] = defaultdict(_new_places)

    @staticmethod
    def of(pipeline: Pipeline) -> Spill[To]:
        """Return what the options of a pipeline say."""
        return Spill(pipeline.options.view_as(SpillOptions).spill_folder)

    def put(self, to: To, block: bytes) -> Iterator[tuple[To, bytes]]:
        """Put a block, and yield what travels now: the block, or places of several, or nothing yet.

        Raises:
            OSError: the disk does not take it.
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
        """End the file, whose content stays, and yield what has not travelled yet."""
        yield from ((to, self._sent(to)) for to in list(self._places))
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size = -1, 0

    def _sent(self, to: To) -> bytes:
        return _ELSEWHERE + msgspec.msgpack.encode((self._path, self._places.pop(to).tobytes()))


def _new_places() -> array[int]:
    # Numbers of 64 bits: a worker keeps many places, and two Python integers and a tuple for each would take megabytes.
    return array("Q")


def read_blocks(sent: bytes) -> Iterator[bytes]:
    """Yield the blocks that something travelled for.

    Raises:
        OSError: their file is not there.
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
