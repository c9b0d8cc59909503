"""Preparing: documents to batches that a model takes at once, the same batches for any number of workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.utils.shared import Shared

from pipeline.extractor_source import ExtractorSource, Prepared, Preparer
from pipeline.failures import dead_letter
from pipeline.tally import Tally
from schemas import Document, content_hash, problems
from schemas.grouping import groups_within

# Characters of text that are prepared together. Batches are cut out of such a group sorted by cost, so a group has to
# be much larger than a batch, and still small enough that there are enough of them for every worker.
_CHARACTERS_PER_GROUP = 65_536


@dataclass(eq=False)
class Prepare(beam.PTransform[Any, Any]):
    """Documents to batches (lists) of prepared documents whose costs add up to at most `batch_cost`.

    A document that alone costs more makes a batch of its own. Documents are grouped by their ids, as many groups as
    the text of the corpus asks for, and batches are cut inside groups: which documents meet in a batch depends on the
    corpus only. The output is tagged: `batches`, and `dead` letters.
    """

    source: ExtractorSource
    batch_cost: int
    tally: Tally

    def expand(self, documents: Any) -> Any:
        """Apply to a PCollection of documents."""
        characters = (
            documents
            | "characters" >> beam.Map(_characters).with_output_types(int)
            | "all characters" >> beam.CombineGlobally(sum).without_defaults()
        )
        return (
            documents
            | "group of"
            >> beam.Map(_grouped, beam.pvalue.AsSingleton(characters, default_value=0)).with_output_types(
                tuple[int, Document]
            )
            | "group" >> beam.GroupByKey()
            | "prepare"
            >> beam.ParDo(PrepareGroup(self.source, self.batch_cost, self.tally)).with_outputs("dead", main="batches")
        )


class PrepareGroup(beam.DoFn):
    """A group of documents to batches; documents that cannot be prepared become dead letters."""

    def __init__(self, source: ExtractorSource, batch_cost: int, tally: Tally) -> None:
        self.source = source
        self.batch_cost = batch_cost
        self.tally = tally
        self.shared = Shared()
        self.dead = Metrics.counter("factmill.prepare", "dead_letters")
        self.pieces = Metrics.counter("factmill.prepare", "pieces")

    def setup(self) -> None:
        """Load the preparer, once per process."""
        self.preparer: Preparer = self.shared.acquire(self.source.preparer)

    def process(self, group: tuple[int, Iterable[Document]]) -> Iterator[Any]:
        """Yield the batches of a group, cheap documents first."""
        prepared: list[Prepared] = []
        for document in group[1]:
            try:
                found = problems(document)
                if found:
                    raise ValueError("; ".join(found[:3]))
                prepared.append(self.preparer.prepare(document))
                self.pieces.inc(prepared[-1].pieces)
            except Exception as error:
                self.dead.inc()
                self.tally.add(done=1, dead=1)
                letter = dead_letter(document.id, document.source, "prepare", "document cannot be prepared", error)
                yield beam.pvalue.TaggedOutput("dead", letter)
        yield from batches(prepared, self.batch_cost)


def cost(prepared: Prepared) -> int:
    """Return what a document costs the model: the encoder takes pieces, the relation head pairs."""
    return prepared.pieces + prepared.pairs


def batches(prepared: Iterable[Prepared], batch_cost: int) -> Iterator[list[Prepared]]:
    """Return lists of documents of similar cost whose costs add up to at most `batch_cost`, or that hold only one."""
    ordered = sorted(prepared, key=lambda item: (cost(item), item.document.id))
    return groups_within(ordered, cost, batch_cost)


def _characters(document: Document) -> int:
    return len(document.text)


def _grouped(document: Document, characters: int) -> tuple[int, Document]:
    groups = max(1, characters // _CHARACTERS_PER_GROUP)
    return int(content_hash("group", document.id), 16) % groups, document
