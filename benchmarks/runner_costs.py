"""What runners cost: start-up, the build beside a plain loop, and one process beside two.

    python -m benchmarks.runner_costs start                     # seconds of a build of one document, by runner
    python -m benchmarks.runner_costs loop --documents 2000     # documents per second beside the same work without Beam
    python -m benchmarks.runner_costs scaling --documents 2000  # two workers beside one, each pinned to a core
    python -m benchmarks.runner_costs start scaling --flink-master 127.0.0.1:8081  # a cluster too, made by `make flink`

Every build is a process of its own, as people start it: `factmill build` of documents made by benchmarks/corpus.py.
Wall seconds mean something on quiet cores only; CPU seconds of the process and those it started stand beside them. A
cluster's own CPU seconds are not seen from here. Results are added to benchmarks/results/runners.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.corpus import write
from benchmarks.machine import processor

RESULTS = Path(__file__).parent / "results" / "runners.json"
_LOCAL = ("memory", "threads", "processes")
# The work of a build on every document, without Beam: read, prepare, extract, find what to merge.
_LOOP = """
import sys
from pathlib import Path
from benchmarks.build import run_loop
run_loop(Path(sys.argv[1]), sys.argv[2], 1 << 62)()
"""


def measured(command: Sequence[str], cores: int) -> dict[str, float]:
    """Return wall and CPU seconds of a command that may use so many cores, and the MB of its largest process."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall s": round(wall, 2), "CPU s": round(cpu, 2), "MB so far": round(after.ru_maxrss / 1024)}


def build(corpus: Path, model: str, runner: str, workers: int, *more: str) -> dict[str, float]:
    """Return what a build of a corpus takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "runners.cli.main", "build", str(corpus), "--out", f"{folder}/graph"]
        options = ["--model", model, "--runner", runner, "--workers", str(workers), *more]
        return measured([*command, *options], workers)


def rates(figures: dict[str, float], documents: int) -> dict[str, float]:
    """Return the figures with documents per second."""
    return {
        **figures,
        "documents per wall s": round(documents / figures["wall s"], 1),
        "documents per CPU s": round(documents / figures["CPU s"], 1),
    }


def start(arguments: argparse.Namespace, made: Callable[[int], Path]) -> dict[str, object]:
    """Return what a build of one document takes on every runner."""
    result: dict[str, object] = {name: build(made(1), arguments.model, name, 1) for name in _LOCAL}
    master = arguments.flink_master
    if master:
        result["flink"] = build(made(1), arguments.model, "flink", 1, "--flink-master", master)
    return result


def loop(arguments: argparse.Namespace, made: Callable[[int], Path]) -> dict[str, object]:
    """Return what a build and a loop take for the same documents on one core."""
    number = arguments.documents
    corpus = made(number)
    plain = rates(measured([sys.executable, "-c", _LOOP, str(corpus), arguments.model], 1), number)
    whole = rates(build(corpus, arguments.model, "memory", 1), number)
    share = whole["documents per CPU s"] / plain["documents per CPU s"]
    return {"documents": number, "loop": plain, "build": whole, "build / loop": round(share, 3)}


def scaling(arguments: argparse.Namespace, made: Callable[[int], Path]) -> dict[str, object]:
    """Return what one and two workers take for the same documents, each with a core of its own."""
    number = arguments.documents
    result: dict[str, object] = {"documents": number}
    there = ("flink",) if arguments.flink_master else ()
    for runner in ("threads", "processes", *there):
        more = ("--flink-master", arguments.flink_master) if runner == "flink" else ()
        one, two = (rates(build(made(number), arguments.model, runner, n, *more), number) for n in (1, 2))
        result[runner] = {"1": one, "2": two, "times": round(one["wall s"] / two["wall s"], 2)}
    return result


def main() -> None:
    """Measure, print and add to the result file."""
    parts = {"start": start, "loop": loop, "scaling": scaling}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=parts)
    parser.add_argument("--model", default="docred-minilm")
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--flink-master", metavar="HOST:PORT")
    arguments = parser.parse_args()
    known: dict[str, object] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:

        def made(documents: int) -> Path:
            path = Path(folder) / f"{documents}.jsonl"
            if not path.exists():
                write(path, documents)
            return path

        for name in arguments.parts:
            known[name] = {
                "machine": f"{processor()}, {len(os.sched_getaffinity(0))} cores",
                "load at the start": round(os.getloadavg()[0], 1),
                "model": arguments.model,
                "versions": {package: version(package) for package in ("torch", "apache-beam")},
                **parts[name](arguments, made),
            }
            print(name, json.dumps(known[name], indent=2), flush=True)
            RESULTS.write_text(json.dumps(known, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
