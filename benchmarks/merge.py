"""Speed and memory of the merge, linking and resolution included, on a made-up world of growing size.

    python -m benchmarks.merge [--facts 100000 1000000] [--workers 2]

The extractions come from `benchmarks/world.py` and lie in a store, as after a build; what is timed is everything from
there to the tables. Every size runs in a process of its own. `launcher` is the peak memory of the process that starts
the pipeline and, on this machine, shuffles for it; `worker` that of the largest worker process. Rows of an earlier run
with other sizes or workers stay in the results.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

from benchmarks.machine import processor
from benchmarks.memory import watched
from benchmarks.world import World
from pipeline.build_options import BuildOptions
from pipeline.build_run import BuildRun
from pipeline.store.store import FOLDER, complete, extracted_row, shard_name, shard_of, shards_for, write_shard
from schemas import encode, load_relation_schema

RESULTS = Path(__file__).parent / "results" / "merge.json"
_FACTS_PER_DOCUMENT = 7.35
# Documents that tell how large one is.
_SOME = 200
_WORKERS = {"worker_mib": "pipeline.beam.fork_server"}


def write_store(folder: Path, documents: int, part: int, parts: int) -> None:
    """Write one part of the shards of a store of made-up documents."""
    world = World(max(1000, documents // 5))
    size = sum(len(encode(world.document(number)[0])) for number in range(_SOME)) * documents // _SOME
    of = shards_for(size)
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for number in range(documents):
        numbers[shard_of(f"made:{number:09}", of)].append(number)
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(part, of, parts):
        rows = [extracted_row(*world.document(number)[:2]) for number in numbers[shard]]
        write_shard(rows, folder / shard_name(shard, of))


def measure(facts: int, workers: int, staging: Path) -> dict[str, float]:
    """Merge the store in a folder, made of about so many facts, and return what was measured."""
    documents = documents_for(facts)
    options = BuildOptions(workers=workers, runner="processes" if workers > 1 else "memory")
    work = BuildRun(staging, options)
    work.entries["change", "kept"] = documents
    info = complete(work.shards, {"model": "made"}, version("factmill"))
    began = time.monotonic()
    with watched(_WORKERS) as most:
        report = work.make_graph("build", info, 0, ["made"], load_relation_schema("docred"), [])
    seconds = time.monotonic() - began
    rows = report.counts.rows
    return {
        "facts": facts,
        "workers": workers,
        "documents": documents,
        "nodes": rows["nodes"],
        "edges": rows["edges"],
        "seconds": round(seconds, 1),
        "facts_per_second": round(facts / seconds),
        "launcher_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **most,
    }


def new_processes(number: int) -> ProcessPoolExecutor:
    """Return processes that share nothing with this one."""
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"))


def documents_for(facts: int) -> int:
    """Return how many documents state about so many facts."""
    return round(facts / _FACTS_PER_DOCUMENT)


def main() -> None:
    """Measure every size, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    known = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    rows = {(row["facts"], row["workers"]): row for row in known}
    about = {"machine": f"{processor()}, {len(os.sched_getaffinity(0))} cores"}
    with tempfile.TemporaryDirectory(prefix="factmill-merge-") as scratch:
        for facts in arguments.facts:
            staging = Path(scratch) / str(facts)
            with new_processes(arguments.workers) as processes:
                made = partial(write_store, staging / FOLDER, documents_for(facts), parts=arguments.workers)
                list(processes.map(made, range(arguments.workers)))
            with new_processes(1) as processes:
                row = processes.submit(measure, facts, arguments.workers, staging).result()
            shutil.rmtree(staging)
            print(json.dumps(row), flush=True)
            rows[facts, arguments.workers] = row
            RESULTS.write_text(
                json.dumps({"about": about, "rows": [rows[key] for key in sorted(rows)]}, indent=2) + "\n"
            )


if __name__ == "__main__":
    main()
