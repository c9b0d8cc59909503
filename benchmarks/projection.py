"""What all of Wikipedia and all of PubMed would take, from builds of a few real documents, with the arithmetic.

    python -m benchmarks.projection measure wikipedia FILE --model docred-minilm --documents 100
    python -m benchmarks.projection measure pubmed FILE --model cdr-minilm --documents 300
    python -m benchmarks.projection             # prints the table for docs/explanation/scale.md from the results

A build of one document is taken from a build of some, so that what remains is what each further document takes: CPU
seconds of extracting and merging, and bytes of what is left on disk. A sample says as much about a corpus as it is like
it: pages at the start of a dump, for instance, are longer than most. Merging grows a little faster than a corpus does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.machine import processor
from benchmarks.runner_costs import measured

RESULTS = Path(__file__).parent / "results" / "projection.json"
# Documents of each corpus: articles of the English Wikipedia, records of PubMed.
CORPORA = {"wikipedia": 6_900_000, "pubmed": 37_000_000}
_PARTS = ("extractions", "tables", "graph.nq", "graph.db")


def built(path: Path, model: str, documents: int, folder: Path) -> dict[str, float]:
    """Return what a build of the first documents of a file takes and leaves."""
    command = [sys.executable, "-m", "runners.cli.main", "build", str(path), "--out", str(folder), "--model", model]
    figures = measured([*command, "--runner", "memory", "--workers", "1", "--limit", str(documents)], 1)
    counts = json.loads((folder / "run.json").read_text("utf-8"))["counts"]
    sizes = {f"bytes of {part}": _size(folder / part) for part in _PARTS}
    return {"documents": counts["rows"]["documents"], "CPU s": figures["CPU s"], **sizes}


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def measure(path: Path, model: str, documents: int) -> dict[str, object]:
    """Return what one document of a file and what some take."""
    with tempfile.TemporaryDirectory() as folder:
        one, some = (built(path, model, number, Path(folder) / str(number)) for number in (1, documents))
    return {
        "file": path.name,
        "model": model,
        "machine": f"{processor()}, one core of {os.cpu_count()}",
        "load": round(os.getloadavg()[0], 1),
        "versions": {package: version(package) for package in ("torch", "apache-beam")},
        "commit": _commit(),
        "one": one,
        "some": some,
    }


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def per_document(one: dict[str, float], some: dict[str, float]) -> dict[str, float]:
    """Return what each document beyond the first takes."""
    more = some["documents"] - one["documents"]
    return {name: (some[name] - one[name]) / more for name in some if name != "documents"}


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the projection as a table in Markdown, each cell with its arithmetic."""
    lines = ["| corpus | core-hours | GPU-hours | bytes |", "|---|---|---|---|"]
    for corpus, result in results.items():
        documents = CORPORA[corpus]
        each = per_document(result["one"], result["some"])
        hours = documents * each["CPU s"] / 3600
        size = sum(each[f"bytes of {part}"] for part in _PARTS)
        parts = ", ".join(f"{part} {each[f'bytes of {part}'] / 1024:.1f}" for part in _PARTS)
        lines.append(
            f"| {corpus}, {documents:,} documents | {documents:,} × {each['CPU s']:.3f} s / 3600 = {hours:,.0f} "
            f"| not measured | {documents:,} × {size / 1024:.1f} KiB = {documents * size / 2**40:.2f} TiB ({parts}) |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure a corpus, or print the projection of those that were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    measuring = commands.add_parser("measure")
    measuring.add_argument("corpus", choices=CORPORA)
    measuring.add_argument("file", type=Path)
    measuring.add_argument("--model", required=True)
    measuring.add_argument("--documents", type=int, default=100)
    arguments = parser.parse_args()
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    if arguments.command:
        known[arguments.corpus] = measure(arguments.file, arguments.model, arguments.documents)
        RESULTS.write_text(json.dumps(known, indent=2) + "\n", "utf-8")
    print(table(known))


if __name__ == "__main__":
    main()
