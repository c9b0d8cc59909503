"""A limit to how long the model may take: a call that does not come back costs the batch, not the build.

A thread cannot be stopped from outside, neither in Python nor in what the model runs on. So every batch is extracted in
a thread of its own, and when its time is up that thread is left behind: it keeps what it holds, at worst a core and the
memory of a batch, until it returns or the process ends. A few such threads can be borne. Where they become many it is
not the documents, and the build fails rather than make dead letters of all that follow.
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

# Time enough for any machine: a hundred times what a slow core takes, and a start on an accelerator.
_SECONDS = 300.0
_SECONDS_PER_COST = 0.1
_MOST_LEFT_BEHIND = 8


class DeadlineExceeded(RuntimeError):
    """A batch took longer than any batch of its cost should."""


@dataclass(eq=False)
class ExtractorWithDeadline:
    """An extractor that gives up when its time is up."""

    extractor: Extractor
    left_behind: list[threading.Thread] = field(default_factory=list)

    def extract(self, batch: Sequence[Features]) -> list[Extraction]:
        """Return what is in each document of a batch.

        Raises:
            Overdue: it took too long.
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
        # A daemon, so that the process can end while it hangs.
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
            del result  # it knows this frame: together they would keep the memory that may just have been short
