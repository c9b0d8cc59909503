"""One large corpus built by processes of this machine and on a Flink cluster: the same bytes, and what each way took.

    python -m benchmarks.large_build --documents 50000 [--model docred-minilm] [--runners processes flink] [--out DIR]
    python -m benchmarks.large_build --corpus enwiki.xml.bz2 --model docred-minilm [--runners processes flink]

The documents are those of benchmarks/corpus.py, or of a file. Unless a model is named it is a network of one layer
with random weights, cut so that it finds some six entities and five facts in a document: what is tried is all around
the model, in minutes. The cluster is one of tools/flink_cluster.py: a JobManager and two TaskManagers with a slot
each. Memory is the largest that any process of a kind ever had resident. Folders of an earlier run in --out are kept
and compared, so that runners may be tried one at a time; results are added to benchmarks/results/large_build.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from benchmarks.corpus import articles, write
from benchmarks.machine import processor
from benchmarks.memory import watched
from extractors.checkpoints.weights import save_checkpoint
from extractors.inference.confidence import Calibration
from extractors.network.network import Network
from runners.execution.flink_job_server import job_server
from tests.extractors import tiny
from tools.flink_cluster import running

RESULTS = Path(__file__).parent / "results" / "large_build.json"
_SAMPLE = 500
_KINDS = {
    "launcher": "runners.cli.main",
    "worker process": "pipeline.beam.fork_server",
    "Flink worker": "factmill-worker",
    "TaskManager": "TaskManagerRunner",
    "JobManager": "StandaloneSessionClusterEntrypoint",
    "job server": "FlinkJobServerDriver",
}


def small_checkpoint(folder: Path) -> Path:
    """Write a checkpoint that knows the words of the corpus, and no more about them."""
    letters = [chr(code) for code in range(33, 127)]
    words = sorted({word.strip(".,") for article in articles(_SAMPLE) for word in article.text.split()})
    pieces = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{one}" for one in letters), *words])
    tokenizer = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    backbone = {**tiny.config().backbone, "vocab_size": len(pieces), "num_hidden_layers": 1}
    torch.manual_seed(3)
    config = tiny.config("jerex-grc", backbone=backbone, whole_pieces=512, passage_pieces=256, longest_mention=3)
    network = Network(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    cut = Calibration(mention_threshold=0.3, coreference_threshold=0.9, relation_threshold=0.065)
    save_checkpoint(folder, network, tokenizer, cut, "# A network with random weights\n")
    return folder


def built(corpus: Path, model: str, runner: str, out: Path) -> dict[str, object]:
    """Build, and return what it took."""
    command = [sys.executable, "-m", "runners.cli.main", "build", str(corpus), "--out", str(out), "--model", model]
    command += ["--runner", runner]
    with ExitStack() as stack:
        if runner == "flink":
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            cluster = stack.enter_context(running(home))
            endpoint = stack.enter_context(job_server(cluster.master, home))
            command += ["--flink-master", cluster.master, f"--job_endpoint={endpoint}"]
        load = os.getloadavg()[0]
        began = time.monotonic()
        with watched(_KINDS) as most:
            subprocess.run([*command, *(() if runner == "flink" else ("--workers", "2"))], check=True)
        seconds = time.monotonic() - began
    stages = json.loads((out / "run.json").read_text("utf-8"))["seconds"]
    return {"seconds": round(seconds), "stages": stages, "load at the start": round(load, 1), "peak MB": dict(most)}


def content(out: Path) -> dict[str, object]:
    """Return all that must be equal: the bytes of the tables and of the RDF file, and the counts."""
    files = [*(out / "tables").iterdir(), out / "graph.nq"]
    counts = json.loads((out / "run.json").read_text("utf-8"))["counts"]
    return {**{path.name: path.read_bytes() for path in files}, "counts": counts}


def main() -> None:
    """Build, compare, print and add to the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--corpus", type=Path, help="a file to build from; made documents if absent")
    parser.add_argument("--model", help="a checkpoint; one with random weights if absent")
    parser.add_argument("--runners", nargs="*", default=["processes", "flink"])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        home = arguments.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.mkdir(parents=True, exist_ok=True)
        corpus = arguments.corpus or home / f"{arguments.documents}.jsonl"
        if not arguments.corpus:
            write(corpus, arguments.documents)
        model = arguments.model or str(small_checkpoint(home / "checkpoint"))
        what = arguments.corpus.name if arguments.corpus else f"{arguments.documents} documents"
        name = f"{what}, {arguments.model or 'random weights'}"
        known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
        figures = known.setdefault(name, {})
        figures["machine"] = f"{processor()}, {len(os.sched_getaffinity(0))} cores"
        figures["versions"] = {package: version(package) for package in ("torch", "apache-beam")}
        for runner in arguments.runners:
            figures[runner] = built(corpus, model, runner, home / runner)
            RESULTS.write_text(json.dumps(known, indent=2) + "\n", "utf-8")
        whole = {path.name: content(path) for path in sorted(home.iterdir()) if (path / "run.json").exists()}
        first = next(iter(whole.values()))
        assert all(one == first for one in whole.values()), "the graphs differ"
        figures["equal"] = [*whole]
        figures["counts"] = first["counts"]
        figures["bytes"] = {key: len(value) for key, value in first.items() if isinstance(value, bytes)}
        print(name, json.dumps(figures, indent=2))
        RESULTS.write_text(json.dumps(known, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
