"""Featurization and batching of documents; the batches are the same for any number of workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from extractors.inference.batching import groups_within
from pipeline.dead_letters import dead_letter
from pipeline.extraction.extractor_source import Features, Featurizer
from schemas import DeadLetter, Document, problems


def prepare_safely(featurizer: Featurizer, document: Document) -> Features | DeadLetter:
    """Return the document as the extractor takes it, or a dead letter if it is not sound or cannot be prepared."""
    try:
        found = problems(document)
        if found:
            raise ValueError("; ".join(found[:3]))
        return featurizer.featurize(document)
    except Exception as error:
        return dead_letter(document.id, document.source, "prepare", "document cannot be prepared", error)


def cost(prepared: Features) -> int:
    """Return what a document costs the model: the encoder takes pieces, the relation head pairs."""
    return prepared.pieces + prepared.pairs


def batches(prepared: Iterable[Features], batch_cost: int) -> Iterator[list[Features]]:
    """Return lists of documents of similar cost whose costs add up to at most `batch_cost`, or that hold only one."""
    ordered = sorted(prepared, key=lambda item: (cost(item), item.document.id))
    return groups_within(ordered, cost, batch_cost)
