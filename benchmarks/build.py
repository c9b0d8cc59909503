"""Speed and memory of a whole build, beside the same work without Beam and beside the bare encoder.

    python -m benchmarks.build dump.xml.bz2 [--model docred-minilm] [--documents 100] [--memory 600 6000]

Each side runs in a process of its own on one thread, on the same documents:
- encoder: the forward pass of the encoder alone over the pieces of all documents;
- loop: read, prepare, extract and find what to merge, one after the other in plain Python;
- build: everything, up to the files in the output folder;
- start: a build of one document, that is what a build costs before it does anything.
Seconds are CPU seconds with wall-clock seconds beside them. With `--memory` the documents are multiplied and built by
two worker processes; the largest worker tells whether memory stays flat. The smaller number should be large enough for
the model to have met all its shapes, which takes it some 600 abstracts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.machine import processor
from schemas import Document, encode

RESULTS = Path(__file__).parent / "results" / "build.json"


def documents_of(path: Path, limit: int) -> Iterator[Document]:
    """Yield the first documents of a file."""
    from pipeline.read_documents import first_documents, read_part, split

    for part in split(str(path), None):
        for item in first_documents(read_part(part), limit):
            if isinstance(item, Document):
                yield item
                limit -= 1
        if limit <= 0:
            return


def run_encoder(path: Path, model: str, limit: int) -> Callable[[], object]:
    """Return the forward pass of the encoder over all passages, sorted by length."""
    import torch

    from extractors import load_extractor

    torch.set_num_threads(1)
    extractor = load_extractor(model)
    passages = [p for document in documents_of(path, limit) for p in extractor.featurize(document).passages]
    passages.sort(key=lambda passage: len(passage.pieces))
    groups = list(extractor.device.groups(passages, lambda passage: len(passage.pieces)))

    def forward() -> None:
        with torch.inference_mode():
            for group in groups:
                extractor.model.encoder(group)

    return forward


def run_loop(path: Path, model: str, limit: int) -> Callable[[], object]:
    """Return the work of a build on every document without Beam."""
    import torch

    from extractors import load_extractor
    from pipeline.extraction.batching import batches
    from pipeline.merging.findings import findings

    torch.set_num_threads(1)
    extractor = load_extractor(model)

    def loop() -> None:
        features = [extractor.featurize(document) for document in documents_of(path, limit)]
        for batch in batches(features, extractor.batch_cost):
            for item, extraction in zip(batch, extractor.extract(batch), strict=True):
                findings(item.document, extraction)

    return loop


def run_build(path: Path, model: str, limit: int) -> Callable[[], object]:
    """Return a build by one worker with one thread."""
    from pipeline.build import BuildOptions, build
    from pipeline.extraction.extractor_source import Checkpoint

    def whole() -> None:
        with tempfile.TemporaryDirectory() as folder:
            options = BuildOptions(model=model, workers=1, limit=limit)
            build([path], Path(folder) / "out", options, source=Checkpoint(model, threads=1))

    return whole


def measure(make: Callable[[Path, str, int], Callable[[], object]], path: Path, model: str, limit: int) -> list[float]:
    """Return (CPU, wall) seconds of what `make` returns, run in a new process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_timed, (make, path, model, limit))


def _timed(make: Callable[[Path, str, int], Callable[[], object]], path: Path, model: str, limit: int) -> list[float]:
    run = make(path, model, limit)
    cpu, wall = time.process_time(), time.monotonic()
    run()
    return [round(time.process_time() - cpu, 2), round(time.monotonic() - wall, 2)]


def worker_memory(documents: list[Document], copies: int, model: str) -> float:
    """Return the MB of the largest of two worker processes that build `copies` of the documents."""
    import msgspec

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.jsonl"
        with path.open("wb") as file:
            for copy in range(copies):
                for document in documents:
                    row = {"id": f"{document.id} {copy}", "title": document.title, "text": document.text}
                    file.write(msgspec.json.encode(row) + b"\n")
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            return pool.apply(_largest_child, (path, model, Path(folder) / "out"))


def _largest_child(path: Path, model: str, out: Path) -> float:
    from pipeline.build import BuildOptions, build

    build([path], out, BuildOptions(model=model, workers=2, runner="processes"), writers=[])
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1)


def main() -> None:
    """Measure, print and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--model", default="docred-minilm")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--memory", type=int, nargs="*", default=[], metavar="DOCUMENTS")
    arguments = parser.parse_args()
    rows = []
    for path in arguments.files:
        documents = list(documents_of(path, arguments.documents))
        tokens = sum(len(document.tokens) for document in documents)
        sides = {"encoder": run_encoder, "loop": run_loop, "build": run_build}
        seconds = {name: measure(make, path, arguments.model, len(documents)) for name, make in sides.items()}
        seconds["start"] = measure(run_build, path, arguments.model, 1)
        cpu, wall = seconds["build"]
        row: dict[str, object] = {
            "file": path.name,
            "documents": len(documents),
            "tokens": tokens,
            "MB of encoded documents": round(sum(len(encode(document)) for document in documents) / 1e6, 1),
            "seconds (CPU, wall)": seconds,
            "documents/s": round(len(documents) / wall, 1),
            "tokens per CPU second": round(tokens / cpu),
            "encoder's share of the build": round(seconds["encoder"][0] / cpu, 3),
            "loop's share of the build, start aside": round(seconds["loop"][0] / (cpu - seconds["start"][0]), 3),
        }
        if arguments.memory:
            sizes = {size: -(-size // len(documents)) for size in arguments.memory}
            row["MB of the largest worker, by documents"] = {
                copies * len(documents): worker_memory(documents, copies, arguments.model) for copies in sizes.values()
            }
        rows.append(row)
    result = {
        "hardware": f"{processor()}, one worker with one thread",
        "versions": {name: version(name) for name in ("torch", "apache-beam")} | {"python": sys.version.split()[0]},
        "model": arguments.model,
        "rows": rows,
    }
    text = json.dumps(result, indent=2)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
