"""Extraction shard by shard: from the records of a shard to its file in the store, by Beam's `RunInference`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.shared import Shared

from pipeline.beam.counters import Counted
from pipeline.beam.live_counts import LiveCounter
from pipeline.beam.memory import release_free_memory
from pipeline.dead_letters import BuildFailed
from pipeline.extraction.batching import prepare_safely
from pipeline.extraction.extractor_source import ExtractorSource, Features, Featurizer
from pipeline.extraction.shard_task import ShardTask
from pipeline.plan import plan_hash
from pipeline.record_counts import CountKey
from pipeline.store.reconcile import Incoming, reconcile
from pipeline.store.store import (
    Store,
    extracted_row,
    link_or_copy,
    shard_name,
    shard_sizes,
    shards_for,
    write_shard,
)
from schemas import DeadLetter, Document, Redirect, Removal, decode

_KINDS: dict[str, type[Incoming]] = {kind.__name__: kind for kind in (Document, Removal, Redirect, DeadLetter)}


@dataclass(frozen=True)
class Shards:
    """Where shards are read and written; workers get a copy.

    Attributes:
        folder: folder of the new store.
        plan: hash of the plan that the shards belong to.
        base: the store that is changed, if there is one.
        begun: names of the shards that an interrupted run of the same command has written.
    """

    folder: str
    plan: str
    base: Store | None = None
    begun: frozenset[str] = frozenset()

    def path(self, number: int, of: int) -> Path:
        """Return the file of a new shard."""
        return Path(self.folder) / shard_name(number, of)

    def of(self, size: int) -> int:
        """Return the number of new shards for documents with this number of bytes."""
        base = self.base.info if self.base else None
        return max(shards_for(size + base.size), base.shards) if base else shards_for(size)

    def check(self) -> None:
        """Check that the folder still belongs to the plan, because a worker may outlive its command.

        Raises:
            BuildFailed, FileNotFoundError: the folder belongs to another command.
        """
        if plan_hash(Path(self.folder)) != self.plan:
            raise BuildFailed(f"another command writes to '{self.folder}' now")

    def open(self, number: int, of: int, given: Sequence[Incoming]) -> tuple[ShardTask | None, Counter[CountKey]]:
        """Return the task of a shard, or None if its file is complete, and its counts."""
        path = self.path(number, of)
        base = self.base
        if base and not given and of == base.info.shards:
            if not path.exists():
                self.check()
                link_or_copy(base.path(number), path)
            return None, Counter({("change", "kept"): shard_sizes(path).documents})
        settled = reconcile(base.rows(number, of) if base else (), given)
        when = "before" if path.name in self.begun else "now"
        settled.counts["extracted", when] += len(settled.documents)
        # The file was written by an earlier run, or by an earlier attempt of this bundle, which counts as now.
        return None if path.exists() else ShardTask(number, of, settled.rows, settled.documents), +settled.counts


class ExtractOptions(PipelineOptions):
    """Our option among Beam's: resource hints for the step that extracts, and for no other step."""

    @classmethod
    def _add_argparse_args(cls, parser: Any) -> None:
        parser.add_argument("--extract_hints", action="append", default=[], metavar="HINT=VALUE")

    def hints(self) -> dict[str, str]:
        """Return the resource hints by name, as `PTransform.with_resource_hints` takes them."""
        return dict(hint.split("=", 1) for hint in self.extract_hints)


@dataclass(eq=False)
class ExtractFacts(beam.PTransform[Any, Any]):
    """(shard, records) groups to the files of the shards; the output has counts, as (key, number) pairs.

    A worker reconciles, featurizes, extracts and writes one shard before the next one, so an interrupted run loses only
    the shards in progress.
    """

    source: ExtractorSource
    shards: Shards
    number_of_shards: beam.pvalue.AsSingleton
    batch_cost: int | None
    tally: LiveCounter

    def expand(self, groups: Any) -> Any:
        """Apply to a PCollection of groups."""
        from apache_beam.ml.inference.base import RunInference

        from pipeline.extraction.inference import ExtractorHandler

        # Shards are lists of one: RunInference's own batching by weight does not work (`max_batch_weight` raises).
        handler = ExtractorHandler(self.source, self.tally, self.batch_cost).with_no_batching()
        opened = groups | "open" >> beam.ParDo(
            OpenShard(self.shards, self.tally), self.number_of_shards
        ).with_output_types(Any, counts=Counted).with_outputs("counts", main="work")
        hints = groups.pipeline.options.view_as(ExtractOptions).hints()
        _ = (
            opened.work
            | "prepare" >> beam.ParDo(PrepareShard(self.source, self.tally))
            | "infer" >> RunInference(handler).with_resource_hints(**hints)
            | "write" >> beam.ParDo(WriteShard(self.shards))
        )
        return opened.counts


class OpenShard(beam.DoFn):
    """The records of a shard to its task."""

    def __init__(self, shards: Shards, tally: LiveCounter) -> None:
        self.shards = shards
        self.tally = tally

    def process(self, group: tuple[int, Iterable[tuple[str, bytes]]], of: int) -> Iterator[Any]:
        """Yield the task, if there is one, and counts by their tag."""
        number, values = group
        given = [decode(data, _KINDS[name]) for name, data in values if name]
        work, counts = self.shards.open(number, of, given)
        documents = sum(isinstance(item, Document) for item in given)
        self.tally.add(done=documents - (len(work.documents) if work else 0))
        yield from (beam.pvalue.TaggedOutput("counts", count) for count in counts.items())
        if work:
            yield work

    def finish_bundle(self) -> None:
        """Write the live counts."""
        self.tally.flush()


class PrepareShard(beam.DoFn):
    """A shard's documents as the extractor takes them; those that cannot be prepared are failed."""

    def __init__(self, source: ExtractorSource, tally: LiveCounter) -> None:
        self.source = source
        self.tally = tally
        self.shared = Shared()
        self.dead = Metrics.counter("factmill.prepare", "dead_letters")
        self.pieces = Metrics.counter("factmill.prepare", "pieces")

    def setup(self) -> None:
        """Load the featurizer, once per process."""
        self.featurizer: Featurizer = self.shared.acquire(self.source.featurizer)

    def process(self, work: ShardTask) -> Iterator[list[ShardTask]]:
        """Yield the work with its documents prepared."""
        prepared: list[Features] = []
        rows = list(work.rows)
        for document in work.documents:
            result = prepare_safely(self.featurizer, document)
            if isinstance(result, DeadLetter):
                self.dead.inc()
                self.tally.add(done=1, dead=1)
                rows.append(extracted_row(document, result))
            else:
                self.pieces.inc(result.pieces)
                prepared.append(result)
        yield [ShardTask(work.number, work.of, rows, [], prepared)]


class WriteShard(beam.DoFn):
    """Writes a shard to its file."""

    def __init__(self, shards: Shards) -> None:
        self.shards = shards

    def process(self, work: ShardTask) -> None:
        """Write the shard."""
        self.shards.check()
        write_shard(work.rows, self.shards.path(work.number, work.of))
        release_free_memory()
