"""Extraction of the documents of a shard by Beam's `RunInference`, so that a document can only harm itself.

This is not part of `pipeline.extraction.extract`, because Beam's support for models loads torch, which takes two
seconds that workers of other stages, and commands that extract nothing, do not need.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import ModelHandler

from pipeline.beam.live_counts import LiveCounter
from pipeline.dead_letters import BuildFailed, dead_letter
from pipeline.extraction.batching import batches
from pipeline.extraction.deadline import DeadlineExceeded, ExtractorWithDeadline
from pipeline.extraction.extractor_source import Extractor, ExtractorSource, Features
from pipeline.extraction.shard_task import ShardTask
from pipeline.store.store import extracted_row
from schemas import DeadLetter, Document, Extraction


class LoadedExtractor:
    """An extractor as Beam needs a model: weakly referenceable, with methods that other processes can call."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = ExtractorWithDeadline(extractor)
        self._batch_cost = extractor.batch_cost

    def batch_cost(self) -> int:
        """Return the preferred cost of a batch on the device of the extractor."""
        return self._batch_cost

    def extract(self, batch: Sequence[Features]) -> list[Extraction]:
        """Return the extraction of each document of a batch."""
        return self._extractor.extract(batch)


class ExtractorHandler(ModelHandler[ShardTask, ShardTask, LoadedExtractor]):
    """Loads one extractor, per process or per machine, and runs batches so that a document can only harm itself.

    Args:
        source: where the extractor is loaded from.
        tally: counts documents.
        batch_cost: word pieces and entity pairs of a batch at most; None takes what suits the device.
    """

    def __init__(self, source: ExtractorSource, tally: LiveCounter, batch_cost: int | None = None) -> None:
        super().__init__()
        self.source = source
        self.tally = tally
        self.batch_cost = batch_cost

    def load_model(self) -> LoadedExtractor:
        """Load the extractor."""
        return LoadedExtractor(self.source.extractor())

    def share_model_across_processes(self) -> bool:
        """Return whether the first process holds the extractor, and the others send it their batches."""
        return self.source.one_per_machine()

    def run_inference(
        self, batch: Sequence[ShardTask], model: LoadedExtractor, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[ShardTask]:
        """Return shards with their documents extracted."""
        return [self._extracted(work, model) for work in batch]

    def _extracted(self, work: ShardTask, model: LoadedExtractor) -> ShardTask:
        rows = list(work.rows)
        for prepared in batches(work.prepared, self.batch_cost or model.batch_cost()):
            start = time.perf_counter()
            results = extract_safely(model, prepared)
            dead = sum(isinstance(result, DeadLetter) for result in results)
            self.tally.add(done=len(results), dead=dead)
            Metrics.distribution("factmill.extract", "batch_size").update(len(prepared))
            Metrics.distribution("factmill.extract", "milliseconds").update(int((time.perf_counter() - start) * 1000))
            Metrics.counter("factmill.extract", "documents").inc(len(results))
            Metrics.counter("factmill.extract", "dead_letters").inc(dead)
            rows += [extracted_row(item.document, result) for item, result in zip(prepared, results, strict=True)]
        self.tally.flush()
        return ShardTask(work.number, work.of, rows, [])

    def get_num_bytes(self, batch: Sequence[ShardTask]) -> int:
        """Return the approximate size of a batch in bytes; the default would pickle the batch."""
        return sum(4 * item.pieces for work in batch for item in work.prepared)

    def get_metrics_namespace(self) -> str:
        """Return the namespace of RunInference's own metrics."""
        return "factmill.extract"


def extract_safely(extractor: Extractor | LoadedExtractor, batch: Sequence[Features]) -> list[Extraction | DeadLetter]:
    """Return an extraction or a dead letter for every document of a batch, in its order.

    If memory runs out, the batch is halved until it fits; after any other error its documents are extracted one at a
    time, so that only the document that causes the error is lost.

    Raises:
        BuildFailed: the extractor does not work any more, for any document.
    """
    try:
        extractions = extractor.extract(batch)
        if len(extractions) != len(batch):
            raise RuntimeError(f"the extractor returned {len(extractions)} results for {len(batch)} documents")
    except BuildFailed:
        raise
    except (ConnectionError, EOFError) as error:
        raise BuildFailed("the process that held the model has ended") from error
    except Exception as error:
        if len(batch) == 1:
            return [dead_letter(batch[0].document.id, batch[0].document.source, "extract", _reason(error), error)]
        step = math.ceil(len(batch) / 2) if out_of_memory(error) else 1
    else:
        return [_checked(item.document, extraction) for item, extraction in zip(batch, extractions, strict=True)]
    return [result for at in range(0, len(batch), step) for result in extract_safely(extractor, batch[at : at + step])]


def _reason(error: Exception) -> str:
    if isinstance(error, DeadlineExceeded):
        return "extractor took too long"
    return "out of memory" if out_of_memory(error) else "extractor failed"


def out_of_memory(error: BaseException) -> bool:
    """Return whether an exception means that memory ran out, on the host or on an accelerator."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def flaws(document: Document, extraction: Extraction) -> list[str]:
    """Return all inconsistencies of an extraction with its document; an empty list if there are none."""
    found: list[str] = []
    if extraction.document_id != document.id:
        found.append(f"it is about '{extraction.document_id}'")
    for index, entity in enumerate(extraction.entities):
        if not entity.mentions:
            found.append(f"entity {index} has no mention")
        for mention in entity.mentions:
            if not 0 <= mention.start < mention.end <= len(document.tokens):
                found.append(f"mention at tokens {mention.start}:{mention.end} leaves the document")
    count = len(extraction.entities)
    for fact in extraction.facts:
        name = f"fact {fact.head} {fact.relation} {fact.tail}"
        if not (0 <= fact.head < count and 0 <= fact.tail < count):
            found.append(f"{name} refers to an entity that does not exist")
        if not 0.0 <= fact.probability <= 1.0:  # also false for NaN
            found.append(f"{name} has the probability {fact.probability}")
        if not all(0 <= sentence < len(document.sentences) for sentence in fact.evidence):
            found.append(f"{name} has evidence outside the document")
    return found


def _checked(document: Document, extraction: Extraction) -> Extraction | DeadLetter:
    found = flaws(document, extraction)
    if not found:
        return extraction
    return dead_letter(document.id, document.source, "extract", "extraction is not sound", "; ".join(found[:3]))
