"""Blocks of a shuffle lie in files where all workers see one disk, and only their places travel.

Beam's runner on one machine keeps in its memory whatever is shuffled, to the end of the pipeline, and carries it
through one process. On a cluster the runner's own shuffle goes to disk, and workers need not see the same one.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from uuid import uuid4

import msgspec
from apache_beam import Pipeline
from apache_beam.options.pipeline_options import PipelineOptions

# A block begins with the number of its bytes before compression, which is never this.
_ELSEWHERE = bytes(4)
# Smaller blocks travel themselves.
_SMALL = 512

_PLACE = msgspec.msgpack.Decoder(tuple[str, int, int])


class SpillOptions(PipelineOptions):
    """Options of Beam that say where blocks lie."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--spill_folder", help="where shuffles put their blocks, for all workers to read")


class Spill:
    """The blocks of one bundle on their way to disk; a bundle that runs twice leaves a file that nobody reads.

    Args:
        folder: where files go; None: everything travels.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._path = ""
        self._file = -1
        self._size = 0

    @staticmethod
    def of(pipeline: Pipeline) -> Spill:
        """Return what the options of a pipeline say."""
        return Spill(pipeline.options.view_as(SpillOptions).spill_folder)

    def put(self, block: bytes) -> bytes:
        """Return what travels in place of a block.

        Raises:
            OSError: the disk does not take it.
        """
        if self._folder is None or len(block) < _SMALL:
            return block
        if self._file < 0:
            self._path = str(Path(self._folder) / uuid4().hex)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        offset, rest = self._size, memoryview(block)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._size += len(block)
        return _ELSEWHERE + msgspec.msgpack.encode((self._path, offset, len(block)))

    def close(self) -> None:
        """End the file; what was put stays there."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size = -1, 0


def taken(sent: bytes) -> bytes:
    """Return the block that something travelled for.

    Raises:
        OSError: its file is not there.
    """
    if not sent.startswith(_ELSEWHERE):
        return sent
    path, offset, size = _PLACE.decode(sent[len(_ELSEWHERE) :])
    file = os.open(path, os.O_RDONLY)
    try:
        return os.pread(file, size, offset)
    finally:
        os.close(file)
