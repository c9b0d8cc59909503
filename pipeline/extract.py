"""Extracting: batches of prepared documents to what the model finds in each, by Beam's `RunInference`."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import ModelHandler, RunInference

from pipeline.extractor_source import Extractor, ExtractorSource, Prepared
from pipeline.failures import dead_letter
from pipeline.tally import Tally
from schemas import DeadLetter, Document, Extraction

Outcome = tuple[Document, Extraction | DeadLetter]


@dataclass(eq=False)
class Extract(beam.PTransform[Any, Any]):
    """Batches to the documents with their extractions: `extracted`, and `dead` letters."""

    source: ExtractorSource
    tally: Tally
    shared_copies: int | None = None

    def expand(self, batches: Any) -> Any:
        """Apply to a PCollection of batches."""
        # Batches come ready made: RunInference's own batching by weight does not work (`max_batch_weight` raises).
        handler = ExtractorHandler(self.source, self.shared_copies).with_no_batching()
        return (
            batches
            | "infer" >> RunInference(handler)
            | "outcomes" >> beam.ParDo(_SortOut(self.tally)).with_outputs("dead", main="extracted")
        )


class LoadedExtractor:
    """An extractor as Beam wants a model: weakly referenceable, and its method's results may cross to a process."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def extract(self, batch: Sequence[Prepared]) -> list[Extraction]:
        """Return what is in each document of a batch."""
        return self._extractor.extract(batch)


class ExtractorHandler(ModelHandler[Prepared, Outcome, LoadedExtractor]):
    """Loads one extractor per process and runs batches through it so that a document can only harm itself.

    Args:
        source: where the extractor comes from.
        shared_copies: share so many copies of the model among all processes of a machine; None: one per process.
    """

    def __init__(self, source: ExtractorSource, shared_copies: int | None = None) -> None:
        super().__init__(large_model=shared_copies is not None, model_copies=shared_copies)
        self.source = source

    def load_model(self) -> LoadedExtractor:
        """Load the extractor."""
        return LoadedExtractor(self.source.extractor())

    def run_inference(
        self, batch: Sequence[Prepared], model: LoadedExtractor, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[Outcome]:
        """Return the outcome of every document, in the order of the batch."""
        start = time.perf_counter()
        results = extract_safely(model, batch)
        Metrics.distribution("factmill.extract", "batch_size").update(len(batch))
        Metrics.distribution("factmill.extract", "milliseconds").update(int((time.perf_counter() - start) * 1000))
        return [(item.document, result) for item, result in zip(batch, results, strict=True)]

    def get_num_bytes(self, batch: Sequence[Prepared]) -> int:
        """Return about how many bytes a batch has; the default would pickle it to find out."""
        return sum(4 * item.pieces for item in batch)

    def get_metrics_namespace(self) -> str:
        """Return the namespace of RunInference's own metrics."""
        return "factmill.extract"


def extract_safely(extractor: Extractor, batch: Sequence[Prepared]) -> list[Extraction | DeadLetter]:
    """Return an extraction or a dead letter for every document of a batch, in its order.

    Where memory is short the batch is halved until it fits; after any other error its documents are tried one at a
    time, so that only the culprit is lost.
    """
    try:
        extractions = extractor.extract(batch)
        if len(extractions) != len(batch):
            raise RuntimeError(f"the extractor returned {len(extractions)} results for {len(batch)} documents")
    except Exception as error:
        if len(batch) == 1:
            reason = "out of memory" if out_of_memory(error) else "extractor failed"
            return [dead_letter(batch[0].document.id, batch[0].document.source, "extract", reason, error)]
        step = math.ceil(len(batch) / 2) if out_of_memory(error) else 1
    else:
        return [_checked(item.document, extraction) for item, extraction in zip(batch, extractions, strict=True)]
    return [result for at in range(0, len(batch), step) for result in extract_safely(extractor, batch[at : at + step])]


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory was short, on the host or on an accelerator."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def flaws(document: Document, extraction: Extraction) -> list[str]:
    """Return every way in which an extraction does not fit its document; an empty list when it is sound."""
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
            found.append(f"{name} names an entity that is not there")
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


class _SortOut(beam.DoFn):
    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.documents = Metrics.counter("factmill.extract", "documents")
        self.dead = Metrics.counter("factmill.extract", "dead_letters")
        self.facts = Metrics.counter("factmill.extract", "facts")

    def process(self, outcome: Outcome) -> Iterator[Any]:
        document, result = outcome
        self.documents.inc()
        self.tally.add(done=1, dead=isinstance(result, DeadLetter))
        if isinstance(result, DeadLetter):
            self.dead.inc()
            yield beam.pvalue.TaggedOutput("dead", result)
        else:
            self.facts.inc(len(result.facts))
            yield document, result

    def finish_bundle(self) -> None:
        self.tally.flush()
