"""How much of the encoder's own speed the joint extractor keeps, and how much when the entities are given.

    python benchmarks/extraction.py dump.xml.bz2 --annotated dev.json [--model docred-minilm] [--documents 60]

Three sides read the same pieces on one thread, in alternating rounds: the bare encoder, the joint extraction from text,
and the extraction of relations between given entities. Figures are CPU seconds, the best of the rounds.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from extractors import Extractor, Prepared, load_extractor
from pipeline.readers import read_path
from schemas import Document

RESULTS = Path(__file__).parent / "results" / "extraction.json"
PASSAGES_AT_ONCE = 8


def seconds(run: Callable[[], object]) -> float:
    """Return the CPU seconds of one run."""
    start = time.process_time()
    run()
    return time.process_time() - start


def encode(extractor: Extractor, batch: Sequence[Prepared]) -> None:
    """Run the encoder alone over all passages, sorted by length as in extraction."""
    passages = sorted((p for prepared in batch for p in prepared.passages), key=lambda p: len(p.pieces))
    with torch.inference_mode():
        for start in range(0, len(passages), PASSAGES_AT_ONCE):
            extractor.model.encoder(passages[start : start + PASSAGES_AT_ONCE])


def measure(extractor: Extractor, documents: Sequence[Document], rounds: int) -> dict[str, float]:
    """Return the rates of the bare encoder and of the extractor on the same documents."""
    batch = [extractor.prepare(document) for document in documents]
    encode(extractor, batch[:2])
    extractor.extract(batch[:2])
    encoder = extraction = preparation = float("inf")
    for _ in range(rounds):
        encoder = min(encoder, seconds(lambda: encode(extractor, batch)))
        extraction = min(extraction, seconds(lambda: extractor.extract(batch)))
        preparation = min(preparation, seconds(lambda: [extractor.prepare(document) for document in documents]))
    pieces = sum(prepared.pieces for prepared in batch)
    return {
        "documents": len(documents),
        "pieces": pieces,
        "encoder pieces/s": round(pieces / encoder),
        "extraction pieces/s": round(pieces / extraction),
        "prepare and extract pieces/s": round(pieces / (preparation + extraction)),
        "share of the encoder's speed": round(encoder / (preparation + extraction), 3),
    }


def main() -> None:
    """Measure, print and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="a file without annotations")
    parser.add_argument("--annotated", type=Path, required=True, help="a file with given entities")
    parser.add_argument("--model", default="docred-minilm")
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    extractor = load_extractor(arguments.model)
    rows = {}
    for name, path in (("joint, from text", arguments.text), ("entities given", arguments.annotated)):
        documents = [item for item in read_path(path) if isinstance(item, Document)][: arguments.documents]
        rows[name] = {"file": path.name, **measure(extractor, documents, arguments.rounds)}
    result = {
        "hardware": f"{platform.processor() or platform.machine()}, 1 thread, {extractor.device.precision}",
        "torch": torch.__version__,
        "model": arguments.model,
        "rounds": arguments.rounds,
        "rows": rows,
    }
    text = json.dumps(result, indent=2)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
