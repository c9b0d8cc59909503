"""The results table: F1, calibration, speed and size of trained extractors, on the same documents, in one run.

    python -m benchmarks.trained dev.json --documents 350:500 --train train.json RUN...

RUN is a folder made by `factmill train RECIPE --out RUN`, or a checkpoint. Entities are given. Every extractor reads
the documents twice in a process of its own on one thread: once to warm up, once for the clock. The rows go to
`results/trained.json` and into `experiments/results.md` between its two markers; rows of earlier runs stay.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.machine import processor

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "trained.json"
PAGE = HERE.parent / "experiments" / "results.md"
BEGIN, END = "<!-- rows -->", "<!-- end of rows -->"
COLUMNS = {
    "f1": "F1",
    "precision": "P",
    "recall": "R",
    "ign": "Ign F1",
    "intra": "Intra",
    "inter": "Inter",
    "infer": "Infer",
    "evidence": "Evidence",
    "ece": "ECE",
    "at90": "P / R at 0.9",
    "rate": "docs/s",
    "parameters": "parameters",
    "size": "MB",
}


def measure(folder: Path, dev: Path, positions: slice, train: Path | None) -> dict[str, Any]:
    """Return the row of one checkpoint."""
    import torch

    from extractors import load_extractor
    from extractors.calibration.candidates import candidates_given_entities
    from extractors.calibration.figures import probability_figures
    from extractors.evaluation import evaluate
    from extractors.evaluation.relation_scores import TrainFacts
    from runners.arguments.annotated_documents import read_annotated

    torch.set_num_threads(1)
    documents = read_annotated([dev])[positions]
    extractor = load_extractor(str(folder))
    features = [extractor.featurize(document) for document in documents]
    extractor.extract(features)
    begun = time.process_time()
    found = extractor.extract(features)
    seconds = time.process_time() - begun
    facts = TrainFacts.collect(read_annotated([train])) if train else None
    scores = evaluate(documents, found, extractor.schema, facts).relations
    config = extractor.model.config
    candidates = candidates_given_entities(extractor.model, extractor.featurizer, documents)
    sure = probability_figures(candidates, extractor.calibration.relating(given=True))
    parts = {name: getattr(scores, name) for name in ("ign", "intra", "inter", "infer", "evidence")}
    return {
        "head": config.head,
        "joint": config.joint,
        "f1": scores.overall.f1,
        "precision": scores.overall.precision,
        "recall": scores.overall.recall,
        **{name: score.f1 for name, score in parts.items() if score is not None},
        "ece": sure["ece"],
        "at90": [sure.get("target_precision_0.9_precision"), sure.get("target_precision_0.9_recall")],
        "rate": len(documents) / seconds,
        "parameters": sum(parameter.numel() for parameter in extractor.model.parameters()),
        "size": sum(file.stat().st_size for file in folder.iterdir() if file.suffix in {".json", ".safetensors"}) / 1e6,
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the rows as Markdown, the best F1 first."""
    lines = [f"| recipe | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["f1"]):
        cells = []
        for key in COLUMNS:
            value = row.get(key)
            if value is None or value == [None, None]:
                cells.append("")
            elif key == "at90":
                cells.append(" / ".join(f"{100 * part:.1f}" for part in value))
            elif key == "ece":
                cells.append(f"{value:.3f}")
            elif key in {"rate", "size"}:
                cells.append(f"{value:.1f}")
            elif key == "parameters":
                cells.append(f"{value / 1e6:.1f} M")
            else:
                cells.append(f"{100 * value:.1f}")
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure the runs and rewrite the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--documents", default=":", help="START:STOP positions in DEV")
    parser.add_argument("--train", type=Path, help="training documents, for Ign F1")
    options = parser.parse_args()
    start, _, stop = options.documents.partition(":")
    positions = slice(int(start) if start else None, int(stop) if stop else None)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": {}}
    for run in options.runs:
        folder = run / "checkpoint" if (run / "checkpoint").is_dir() else run
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            row = process.submit(measure, folder, options.dev, positions, options.train).result()
        stored["rows"][run.name] = row
        sys.stderr.write(f"{run.name}: F1 {100 * row['f1']:.1f}\n")
    stored["machine"] = {"processor": processor(), "torch": version("torch")}
    stored["documents"] = f"{options.dev.name}[{options.documents}]"
    RESULTS.write_text(json.dumps(stored, indent=2) + "\n")
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table(stored['rows'])}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
