"""Changes of graphs: documents are added, replaced and removed, and no other document is extracted again.

The result of every change is identical, to the byte, to a build from the same final set of documents.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pipeline.beam.run import ProgressListener, choose_runner, default_workers
from pipeline.build_options import BuildOptions
from pipeline.build_report import BuildReport, versions
from pipeline.build_run import BuildRun
from pipeline.dead_letters import BuildError
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.languages import languages_read
from pipeline.linking.dictionary import dictionary_bytes
from pipeline.output_folder import RESULTS, check_graph, check_output_folder, has_result, locked, results, staging
from pipeline.plan import without_name
from pipeline.preparation import prepare
from pipeline.reading import Reading
from pipeline.record_counts import REPEATED
from pipeline.store.reconcile import ReconciledShard, delete_documents, merge_shards
from pipeline.store.store import (
    Store,
    StoreInfo,
    link_or_copy,
    shard_name,
    shard_of,
    shard_sizes,
    shards_for,
    write_shard,
)
from sinks import DEFAULT_FORMATS, WRITERS, GraphWriter, find_writer, writer_names


@dataclass(frozen=True)
class ExecutionOptions:
    """Where a command that changes a graph runs; see `BuildOptions`."""

    workers: int | None = None
    runner: str = "local"
    beam: tuple[str, ...] = ()

    def options(self, options: BuildOptions) -> BuildOptions:
        """Return the options of a graph with these options replaced."""
        choose_runner(self.runner, self.workers or default_workers(), self.beam)
        return msgspec.structs.replace(options, workers=self.workers, runner=self.runner, beam=self.beam)


def update(
    graph: str | Path,
    inputs: Sequence[str | Path],
    machine: ExecutionOptions | None = None,
    model: str | None = None,
    reading: Reading | None = None,
    progress: ProgressListener | None = None,
    source: ExtractorSource | None = None,
    writers: Sequence[GraphWriter] | None = None,
    resume: bool = False,
) -> BuildReport:
    """Ingest more files into a graph: documents are added, replace those with the same id, or are withdrawn.

    Args:
        graph: folder of the graph.
        inputs: files, folders and patterns.
        machine: where the command runs.
        model: the present place of the checkpoint of the graph, if it was moved.
        reading: how the input files are read; fields and prefixes of ids are those of the graph unless it names some.
        progress: receives the progress.
        source: an extractor other than a checkpoint.
        writers: writers of files from the tables; None: those of the files in the folder.
        resume: continue an update that was interrupted; start one if there is none.

    Raises:
        BuildError: the folder is no graph that can change, it was built by another extractor or version, or the inputs
            cannot be used.
        BuildFailed: the pipeline failed; the graph is as it was.
    """
    graph = Path(graph)
    check_graph(graph)
    with locked(graph):
        store, earlier = Store.open(graph), BuildReport.read(graph)
        options = (machine or ExecutionOptions()).options(earlier.options)
        reading = reading or Reading()
        reading = Reading(reading.format, reading.columns or options.columns, reading.id_prefix or options.id_prefix)
        options = msgspec.structs.replace(
            options, model=model or options.model, limit=None, **msgspec.structs.asdict(reading)
        )
        ready = prepare("update", options, inputs, graph, source)
        check_extractor(store, ready.identity, graph)
        if resume and has_result(graph, ready.plan):
            return earlier
        with staging(graph, ready.plan, resume) as folder:
            work = BuildRun(folder, options, progress)
            work.store_dictionary(store)
            work.ingest(ready.paths, ready.source, store)
            ready.plan.check_inputs()
            info = work.complete_store(ready.identity)
            names = [*earlier.inputs, *(Path(path).name for path in ready.paths)]
            chosen = _writers_of(graph) if writers is None else writers
            schema, reads = earlier.relation_schema, languages_read(ready.source)
            return work.make_graph("update", info, store.info.unread, names, schema, chosen, reads)


def remove(
    graph: str | Path,
    ids: Collection[str],
    machine: ExecutionOptions | None = None,
    progress: ProgressListener | None = None,
    writers: Sequence[GraphWriter] | None = None,
) -> BuildReport:
    """Remove documents from a graph, and their dead letters, as if they had never been read.

    Ids that the graph does not have are ignored. A later update may add the documents again.

    Args:
        graph: folder of the graph.
        ids: ids of documents.
        machine, progress, writers: see `update`.

    Raises:
        BuildError: the folder is no graph that can change.
        BuildFailed: the pipeline failed; the graph is as it was.
    """
    graph, ids = Path(graph), frozenset(ids)
    check_graph(graph)
    with locked(graph):
        store, earlier = Store.open(graph), BuildReport.read(graph)
        of = store.info.shards
        touched = {shard_of(id, of) for id in ids}
        with staging(graph) as folder:
            work = BuildRun(folder, (machine or ExecutionOptions()).options(earlier.options), progress)
            work.store_dictionary(store)
            for number in range(of):
                path = work.shards / store.path(number).name
                if number in touched:
                    _write_reconciled(work, delete_documents(store.rows(number, of), ids), path)
                else:
                    link_or_copy(store.path(number), path)
                    work.entries["change", "kept"] += shard_sizes(path).documents
                _report(progress, number + 1, of)
            info = work.complete_store(store.info.extractor)
            chosen = _writers_of(graph) if writers is None else writers
            unread, schema = store.info.unread, earlier.relation_schema
            return work.make_graph("remove", info, unread, earlier.inputs, schema, chosen)


def merge(
    first: str | Path,
    second: str | Path,
    out: str | Path,
    machine: ExecutionOptions | None = None,
    progress: ProgressListener | None = None,
    writers: Sequence[GraphWriter] | None = None,
    force: bool = False,
) -> BuildReport:
    """Merge two graphs that the same extractor built with the same options.

    Of a document in both graphs the newer version counts; the order of the graphs does not matter.

    Args:
        first, second: folders of the graphs, which are not changed.
        out: folder of the result, as for a build.
        machine, progress: see `update`.
        writers: writers of files from the tables; None: RDF and the Cypher database.
        force: replace results in `out` that factmill did not write.

    Raises:
        BuildError: the graphs do not go together, or a folder cannot be used.
        BuildFailed: the pipeline failed.
    """
    folders = Path(first), Path(second)
    out = Path(out)
    if len({folder.resolve() for folder in (*folders, out)}) < 3:
        raise BuildError("the two graphs and the result must be three different folders: name another one")
    for folder in folders:
        check_graph(folder)
    check_output_folder(out, force)
    with locked(folders[0]), locked(folders[1]), locked(out):
        stores = [Store.open(folder) for folder in folders]
        reports = [BuildReport.read(folder) for folder in folders]
        _check_alike(folders, stores, reports)
        (left, right), (earlier, other) = stores, reports
        of = max(left.info.shards, right.info.shards, shards_for(left.info.size + right.info.size))
        with staging(out) as folder:
            work = BuildRun(folder, (machine or ExecutionOptions()).options(earlier.options), progress)
            work.store_dictionary(left)
            for number in range(of):
                joined = merge_shards(left.rows(number, of), right.rows(number, of))
                _write_reconciled(work, joined, work.shards / shard_name(number, of))
                _report(progress, number + 1, of)
            info = work.complete_store(left.info.extractor)
            # In the counts, the first graph is the earlier state, and the second one was read.
            new = info.unread - left.info.unread
            work.entries.update(
                {
                    ("read", "documents"): right.info.documents,
                    ("read", "dead letters"): right.info.unread,
                    ("letters", "new"): new,
                    ("skipped", REPEATED): right.info.unread - new,
                }
            )
            chosen = [WRITERS[name] for name in DEFAULT_FORMATS] if writers is None else writers
            names = [*earlier.inputs, *other.inputs]
            return work.make_graph("merge", info, left.info.unread, names, earlier.relation_schema, chosen)


def check_extractor(store: Store, identity: dict[str, str], graph: Path) -> None:
    """Check that an extractor is the one of a store.

    Raises:
        BuildError: it is another one, or of another version of factmill; the message has the remedy.
    """
    version = versions()["factmill"]
    if store.info.factmill != version:
        raise BuildError(
            f"'{graph}' was built by factmill {store.info.factmill}, and this is {version}, which may extract other "
            f"facts: use that version, or build the graph again from its files"
        )
    if without_name(store.info.extractor) != without_name(identity):
        this = msgspec.structs.replace(store.info, extractor=identity)
        raise BuildError(
            f"'{graph}' was built with {_named(store.info)}, and this is {_named(this)}: say where that one is with "
            f"--model, or build the graph again from its files"
        )


def _check_alike(folders: Sequence[Path], stores: Sequence[Store], reports: Sequence[BuildReport]) -> None:
    extractors = [without_name(store.info.extractor) | {"factmill": store.info.factmill} for store in stores]
    if extractors[0] != extractors[1]:
        named = [f"'{folder}' with {_named(store.info)}" for folder, store in zip(folders, stores, strict=True)]
        raise BuildError(
            f"different extractors, {named[0]} and {named[1]}: build one of them again with that of the other"
        )
    names = ("min_confidence", "min_precision", "correlation", "link", "resolve")
    for name in names:
        left, right = (getattr(report.options, name) for report in reports)
        if left != right:
            raise BuildError(
                f"'{folders[0]}' was built with {name} {left} and '{folders[1]}' with {right}: build one of them again "
                f"with the option of the other"
            )
    if len({dictionary_bytes(store) for store in stores}) > 1:
        raise BuildError(f"'{folders[0]}' and '{folders[1]}' have different dictionaries: build one of them again")
    if reports[0].relation_schema != reports[1].relation_schema:
        raise BuildError(f"'{folders[0]}' and '{folders[1]}' have different relation schemas: build one of them again")


def _named(info: StoreInfo) -> str:
    details = {**without_name(info.extractor), "factmill": info.factmill}
    values = ", ".join(f"{key} {value}" for key, value in details.items())
    return f"the extractor {info.extractor.get('model', 'without a name')} ({values})"


def _write_reconciled(work: BuildRun, shard: ReconciledShard, path: Path) -> None:
    write_shard(shard.rows, path)
    work.entries.update(shard.counts)


def _writers_of(graph: Path) -> list[GraphWriter]:
    """Return the writers of the files in a folder, so that a change updates all of them."""
    written = {name for name in results(graph) if (graph / name).exists()}
    own = [writer for writer in WRITERS.values() if writer.file in written]
    if written <= {*RESULTS}:
        return own
    # Only now are the writers of other distributions imported.
    others = (find_writer(name) for name in writer_names() if name not in WRITERS)
    return own + [writer for writer in others if writer.file in written]


def _report(progress: ProgressListener | None, done: int, of: int) -> None:
    if progress is not None:
        progress("shards", done, of, ended=done == of)
