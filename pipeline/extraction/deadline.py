"""A time limit for the model: a call that hangs costs its batch, not the build.

A thread cannot be stopped from outside. So every batch is extracted in a thread of its own, and after the time limit
the thread is abandoned: it keeps its resources, at worst a core and the memory of a batch, until it returns or the
process ends. If many threads hang, the cause is not the documents, and the build fails instead of writing dead letters
for all documents that follow.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from pipeline.dead_letters import BuildFailed
from pipeline.extraction.batching import cost
from pipeline.extraction.extractor_source import Extractor, Features
from schemas import Extraction

# Enough for any machine: a hundred times the time of a slow core, and the start of an accelerator.
_SECONDS = 300.0
_SECONDS_PER_COST = 0.1
_MOST_LEFT_BEHIND = 8


class DeadlineExceeded(RuntimeError):
    """A batch exceeded the time limit for its cost."""


@dataclass(eq=False)
class ExtractorWithDeadline:
    """An extractor with a time limit for each batch."""

    extractor: Extractor
    left_behind: list[threading.Thread] = field(default_factory=list)

    def extract(self, batch: Sequence[Features]) -> list[Extraction]:
        """Return what is in each document of a batch.

        Raises:
            DeadlineExceeded: it took too long.
            BuildFailed: that happened so often that something else than the documents must be wrong.
        """
        hanging = sum(thread.is_alive() for thread in list(self.left_behind))
        if hanging >= _MOST_LEFT_BEHIND:
            raise BuildFailed(f"the model hangs: {hanging} batches have not come back")
        outcome: SimpleQueue[list[Extraction] | BaseException] = SimpleQueue()

        def work() -> None:
            try:
                outcome.put(self.extractor.extract(batch))
            except BaseException as error:
                outcome.put(error)

        seconds = _SECONDS + _SECONDS_PER_COST * sum(map(cost, batch))
        # A daemon thread, so that the process can end while it hangs.
        thread = threading.Thread(target=work, name="factmill-extract", daemon=True)
        thread.start()
        try:
            result = outcome.get(timeout=seconds)
        except Empty:
            self.left_behind.append(thread)
            raise DeadlineExceeded(f"no result after {seconds:.0f} seconds") from None
        if not isinstance(result, BaseException):
            return result
        try:
            raise result
        finally:
            del result  # it refers to this frame, and the cycle would keep memory that may just have run out
