"""The stages of commands: ingesting input files into a store, and making a graph from a store."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.beam.run import ProgressListener, choose_runner, default_workers, report_progress, run, threads_per_worker
from pipeline.build_options import BuildOptions
from pipeline.build_report import BuildReport, versions
from pipeline.dead_letters import BuildFailed
from pipeline.extraction.extract import Shards
from pipeline.extraction.extractor_source import Checkpoint, ExtractorSource
from pipeline.extraction.model_threads import restore_threads
from pipeline.languages import language_codes, warning
from pipeline.linking.dictionary import FILE, copy_dictionary, has_dictionary
from pipeline.merging.write_tables import write_empty_files
from pipeline.pipelines import ExtractionPipeline, MergePipeline, read_counts
from pipeline.plan import plan_hash, read_plan
from pipeline.record_counts import CountKey, check_balance, counts_of
from pipeline.store.store import FOLDER, Store, StoreInfo, complete, link_or_copy
from schemas import TABLES, RelationSchema
from sinks import GraphTables, GraphWriter

_TALLIES = "tallies"
_SPILL = "spill"


@dataclass
class BuildRun:
    """The run of one command in its staging folder.

    Attributes:
        staging: the folder.
        options: the options of the command.
        progress: receives the progress.
        entries: the counts so far.
        seconds: time of every stage so far.
        began: the start of the command, by the monotonic clock.
    """

    staging: Path
    options: BuildOptions
    progress: ProgressListener | None = None
    entries: Counter[CountKey] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def shards(self) -> Path:
        """The folder of the new store."""
        return self.staging / FOLDER

    def store_dictionary(self, store: Store | None = None) -> None:
        """Copy the user's dictionary into the new store: the one in the options, or that of another store.

        Raises:
            BuildError: it cannot be used.
        """
        if store is not None:
            if has_dictionary(store):
                link_or_copy(store.folder / FILE, self.shards / FILE)
        elif self.options.dictionary:
            copy_dictionary(self.options.dictionary, self.shards)

    def ingest(self, paths: Sequence[str], source: ExtractorSource, base: Store | None) -> None:
        """Extract the documents of files into the shards of a new store, which may start from an old one.

        Raises:
            BuildError, BuildFailed: the runner is unknown, or the pipeline failed.
        """
        self._run(self.extraction(paths, source, base))

    def extraction(self, paths: Sequence[str], source: ExtractorSource, base: Store | None) -> ExtractionPipeline:
        """Return the pipeline that reads files and writes shards."""
        begun = frozenset(path.name for path in self.shards.glob("shard-*.parquet"))
        return ExtractionPipeline(
            paths=tuple(paths),
            reading=self.options.reading(),
            limit=self.options.limit,
            languages=language_codes(self.options.languages),
            source=source,
            batch_cost=self.options.batch_cost,
            shards=Shards(str(self.shards.resolve()), plan_hash(self.shards), base, begun),
            counts=str(self.staging.resolve() / "taken.json"),
            tallies=self._tallies("take in"),
        )

    def complete_store(self, extractor: dict[str, str]) -> StoreInfo:
        """Write the description of the store when it has all shards, and return the description."""
        return complete(self.shards, extractor, versions()["factmill"])

    def make_graph(
        self,
        command: str,
        info: StoreInfo,
        unread: int,
        inputs: Sequence[str],
        schema: RelationSchema,
        writers: Sequence[GraphWriter],
        languages: Sequence[str] = (),
    ) -> BuildReport:
        """Merge the store into tables, run the writers, and write the report.

        Args:
            command: name of the command, for the report.
            info: the description of the store.
            unread: number of dead letters of reading before the command.
            inputs: names of all input files of the graph.
            schema: the relation schema of the edges.
            writers: writers of files from the tables.
            languages: those that the extractor reads; documents in others are warned of.

        Raises:
            BuildFailed: the pipeline failed or lost records. Errors of sinks are not wrapped.
        """
        folder = self.staging / "tables"
        folder.mkdir()
        self._run(
            MergePipeline(
                store=Store(self.shards.resolve(), info),
                min_confidence=self.options.min_confidence,
                schema=schema,
                correlation=self.options.correlation,
                link=self.options.link,
                resolve=self.options.resolve,
                tables=str(folder.resolve()),
                counts=str(self.staging.resolve() / "merged.json"),
                tallies=self._tallies("merge"),
            )
        )
        counts = counts_of(self.entries)
        write_empty_files(folder, counts.rows)
        tables = GraphTables.open(self.staging)
        check_balance(self.entries, {name: tables.count(name) for name in TABLES}, info.documents, unread)
        written = {writer.file: self._written(writer, tables, schema) for writer in writers}
        self.seconds["total"] = round(time.monotonic() - self.began, 2)
        report = BuildReport(
            command=command,
            options=self.options,
            extractor=info.extractor,
            inputs=tuple(sorted(set(inputs))),
            counts=counts,
            written=written,
            seconds=self.seconds,
            versions=versions(),
            relation_schema=schema,
            warnings=() if (text := warning(counts.languages, languages, info.extractor["model"])) is None else (text,),
        )
        report.write(self.staging)
        return report

    def _run(self, flow: ExtractionPipeline | MergePipeline) -> None:
        options = self.options
        spill = self.staging.resolve() / _SPILL
        runner, beam_options = choose_runner(options.runner, options.workers or default_workers(), options.beam, spill)
        documents = flow.store.info.documents if isinstance(flow, MergePipeline) else None
        with report_progress(Path(flow.tallies), self.progress, documents) as watch:
            try:
                run(flow, runner, beam_options)
            except BuildFailed as error:
                if read_plan(self.shards) is None or not any(self.shards.glob("shard-*")):
                    raise
                kept = "extracted documents are kept: continue with the same command and --resume"
                raise BuildFailed(f"{error}; {kept}") from error
            finally:
                restore_threads()
                shutil.rmtree(spill, ignore_errors=True)
        self.seconds.update(watch.seconds())
        self.entries.update(read_counts(Path(flow.counts)))

    def _tallies(self, name: str) -> str:
        folder = self.staging / _TALLIES / name
        folder.mkdir(parents=True)
        return str(folder.resolve())

    def _written(self, writer: GraphWriter, tables: GraphTables, schema: RelationSchema) -> dict[str, int]:
        began = time.monotonic()
        if self.progress is not None:
            self.progress(writer.file, 0)
        counts = writer.write(tables, self.staging / writer.file, schema)
        self.seconds[writer.file] = round(time.monotonic() - began, 2)
        if self.progress is not None:
            self.progress(writer.file, tables.count("edges"), ended=True)
        return counts


def checkpoint_of(options: BuildOptions) -> ExtractorSource:
    """Return the checkpoint in the options, with their threshold."""
    return Checkpoint(
        options.model,
        threads=threads_per_worker(options.runner, options.workers or default_workers()),
        min_confidence=options.min_confidence or None,
        min_precision=options.min_precision,
    )
