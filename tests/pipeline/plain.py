"""The pipelines without Beam, one element after the other, for tests that make hundreds of graphs.

Everything that a change of a graph depends on is what a real run has: the shards, settling, extracting, the files and
the folders. Input files hold pickled records, since reading is not what is tried. Of the tables only documents and dead
letters are full: the others follow from the same rows by Beam transforms, and `test_change` tries that with Beam.
"""

from __future__ import annotations

import pickle
from collections import Counter
from itertools import chain
from pathlib import Path

from pipeline.beam.live_counts import LiveCounter
from pipeline.extraction.assign_shards import keyed
from pipeline.extraction.extract import OpenShard, PrepareShard, WriteShard
from pipeline.extraction.inference import ExtractorHandler
from pipeline.merging.merge import document_row
from pipeline.pipelines import ExtractionPipeline, write_counts
from pipeline.store.store import shard_of
from pipeline.store.store_transforms import ReadShard
from schemas import DeadLetter, Document, Redirect, Removal, Skipped
from sinks import write_table

_READ = {Document: "documents", Removal: "removals", Redirect: "redirects", DeadLetter: "dead letters"}


def run(flow, runner, options):
    """Run a flow as `pipeline.beam.run.run` would, by one worker."""
    write_counts(flow.counts, extract(flow) if isinstance(flow, ExtractionPipeline) else merge(flow))


def extract(flow: ExtractionPipeline) -> Counter:
    tally = LiveCounter(flow.tallies, "extract")
    counts = Counter()
    given = []
    for item in chain.from_iterable(pickle.loads(Path(path).read_bytes()) for path in flow.paths):
        if isinstance(item, Skipped):
            counts.update([("read", "skipped"), ("skipped", item.reason)])
        else:
            counts["read", _READ[type(item)]] += 1
            given.append(keyed(item))
    of = flow.shards.of(sum(len(data) for _, (kind, data) in given if kind == "Document"))
    groups = {number: [("", b"")] for number in range(of)}
    for id, value in given:
        groups[shard_of(id, of)].append(value)
    opener, featurizer = OpenShard(flow.shards, tally), PrepareShard(flow.source, tally)
    handler, writer = ExtractorHandler(flow.source, tally, flow.batch_cost), WriteShard(flow.shards)
    featurizer.setup()
    model = handler.load_model()
    for group in groups.items():
        for opened in opener.process(group, of):
            if hasattr(opened, "tag"):
                entry, number = opened.value
                counts[entry] += number
                continue
            for prepared in featurizer.process(opened):
                for work in handler.run_inference(prepared, model):
                    writer.process(work)
    return counts


def merge(flow) -> Counter:
    opened = ReadShard(flow.store)
    found = list(chain.from_iterable(opened.process((n, [])) for n in range(flow.store.info.shards)))
    dead = [item.value for item in found if hasattr(item, "tag")]
    rows = {
        "documents": [document_row(*item) for item in found if not hasattr(item, "tag")],
        "dead_letters": dead,
        "nodes": [],
        "edges": [],
        "evidence": [],
        "links": [],
        "merges": [],
    }
    counts = Counter(("dead letters", f"{letter.stage}: {letter.reason}") for letter in dead)
    for name, table in rows.items():
        write_table(table, name, Path(flow.tables) / f"{name}.parquet")
        counts["rows", name] = len(table)
    return counts
