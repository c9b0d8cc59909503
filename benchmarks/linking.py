"""How well entities are linked: hidden links must be found again, and MeSH ids of annotated mentions.

    python -m benchmarks.linking [--weights FILE] links enwiki-pages-articles-206.xml.bz2 --work DIR
    python -m benchmarks.linking [--weights FILE] mesh CDR_TrainingSet.PubTator.txt CDR_DevelopmentSet.PubTator.txt

The figures of links are of one half of the pages; `factmill fit linking` fits weights to the other half. For MeSH the
dictionary is the first file, and the figures are of the second. `--weights` measures a file of `factmill fit linking`
in place of the shipped weights.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from pipeline.linking.disambiguation import FEATURES, LinkingModel, linking_model, probabilities
from pipeline.linking.fit import Question, page_questions, term_questions
from pipeline.readers import read_path
from schemas import Document, Redirect

RESULTS = Path(__file__).parent / "results" / "linking.json"


def figures(questions: Sequence[Question], decide: Callable[[Question], tuple[int, float] | None]) -> dict[str, float]:
    """Return how a way to decide does: of all questions the share it decides, and the share it decides rightly."""
    decided = [(question, choice) for question in questions if (choice := decide(question))]
    right = sum(choice[0] == question.answer for question, choice in decided)
    exact = sum(question.is_exact(choice[0]) for question, choice in decided)
    return {
        "questions": len(questions),
        "with the target among the candidates": round(np.mean([q.answer is not None for q in questions]).item(), 4),
        "decided": round(len(decided) / len(questions), 4),
        "accuracy of the decided": round(right / max(1, len(decided)), 4),
        "the same to the letter": round(exact / max(1, len(decided)), 4),
        "right of all": round(right / len(questions), 4),
    }


def commonness_only(question: Question) -> tuple[int, float] | None:
    """Decide for the candidate that the texts are used for most often."""
    at = FEATURES.index("commonness")
    best = max(range(len(question.options)), key=lambda n: question.options[n].features[at], default=None)
    return None if best is None or not question.options[best].features[at] else (best, 1.0)


def by_model(weights: LinkingModel) -> Callable[[Question], tuple[int, float] | None]:
    """Return how the model decides."""

    def decide(question: Question) -> tuple[int, float] | None:
        chances = probabilities(question.options, weights) if question.options else []
        best = max(range(len(chances)), key=chances.__getitem__, default=None)
        return (best, chances[best]) if best is not None and chances[best] >= weights.cut else None

    return decide


def calibration_error(questions: Sequence[Question], weights: LinkingModel) -> float:
    """Return the expected calibration error of the best candidates' probabilities, in ten equal bins."""
    chances, right = [], []
    for question in questions:
        if question.options:
            found = probabilities(question.options, weights)
            best = int(np.argmax(found))
            chances.append(found[best])
            right.append(best == question.answer)
    bins = np.minimum((np.array(chances) * 10).astype(int), 9)
    errors = [
        abs(np.mean(np.array(chances)[bins == b]) - np.mean(np.array(right)[bins == b])) * np.sum(bins == b)
        for b in set(bins)
    ]
    return round(float(sum(errors) / len(chances)), 4)


def _report(questions: Sequence[Question], weights: LinkingModel) -> dict[str, object]:
    return {
        "model": figures(questions, by_model(weights)),
        "commonness only": figures(questions, commonness_only),
        "calibration error": calibration_error(questions, weights),
    }


def _save(name: str, report: Mapping[str, object], seconds: float) -> None:
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    results[name] = {**report, "seconds": round(seconds, 1)}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    print(json.dumps(results[name], indent=2))


def links(args: argparse.Namespace, weights: LinkingModel) -> None:
    """Hide links and report on the half of the pages that no weights were fitted on."""
    began = time.monotonic()
    dump = [page for page in read_path(args.dump) if isinstance(page, Document | Redirect)]
    fitting, asked, counts = page_questions(dump, args.work, args.model)
    counts["to fit on"] = len(fitting)
    _save("links", {"counts": counts, **_report(asked, weights)}, time.monotonic() - began)


def mesh(args: argparse.Namespace, weights: LinkingModel) -> None:
    """Normalise the mentions of the second file with a dictionary from the first, and report."""
    began = time.monotonic()
    train, dev = ([page for page in read_path(path) if isinstance(page, Document)] for path in (args.train, args.dev))
    asked = term_questions(train, dev)
    _save("mesh", {"documents": [len(train), len(dev)], **_report(asked, weights)}, time.monotonic() - began)


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="a file of `factmill fit linking` [the shipped weights]")
    kinds = parser.add_subparsers(required=True)
    hidden = kinds.add_parser("links", help="hidden links of a dump")
    hidden.add_argument("dump", type=Path)
    hidden.add_argument("--work", type=Path, required=True, help="folder for what is extracted")
    hidden.add_argument("--model", default="docred-minilm")
    hidden.set_defaults(run=links)
    terms = kinds.add_parser("mesh", help="MeSH ids of annotated mentions")
    terms.add_argument("train", type=Path)
    terms.add_argument("dev", type=Path)
    terms.set_defaults(run=mesh)
    args = parser.parse_args()
    model = linking_model()
    if args.weights:
        model = msgspec.json.decode(args.weights.read_bytes(), type=LinkingModel)
    args.run(args, model)


if __name__ == "__main__":
    main()
