"""How far the confidence of merged edges can be trusted, on a synthetic corpus of which the truth is known.

    python -m benchmarks.confidence [--edges 20000] [--copies 0.3]

Documents state facts with calibrated probabilities: of the observations with probability p, a share p is right. An edge
is right if one of its observations is. A share of the documents are copies of others, word for word but for a few, and
right where those are. Other documents that observe one edge may depend on each other (a Gaussian copula), by a degree
that rises from 0. The table has the expected calibration error over all edges and over those with several documents,
for the noisy-or over all documents (plain) and as the pipeline counts, with several values of `--correlation`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from statistics import NormalDist

import numpy as np

from extractors.calibration.calibration_error import quality
from pipeline.merging.findings import EdgeTally
from pipeline.merging.independence import similar_in_band
from pipeline.merging.near_duplicates import bands, signature
from schemas import Document

RESULTS = Path(__file__).parent / "results" / "confidence.json"
_WORDS = 60
_CHANGED = 3
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Observation:
    """A document that states an edge with a probability."""

    document: str
    edge: int
    probability: float
    right: bool


@dataclass(frozen=True)
class Corpus:
    """Documents, and what each states."""

    documents: list[Document]
    observations: list[Observation]

    def right(self) -> dict[int, bool]:
        """Return for every edge whether an observation of it is right."""
        found: dict[int, bool] = {}
        for seen in self.observations:
            found[seen.edge] = found.get(seen.edge, False) or seen.right
        return found


def corpus(edges: int, copies: float, dependence: float, seed: int = 0) -> Corpus:
    """Make a corpus of some edges, of each about two documents and as many copies as wished for each of them."""
    chance = random.Random(seed)
    documents: list[Document] = []
    observations = []
    for edge in range(edges):
        common = chance.gauss(0, 1)
        for _ in range(min(1 + int(chance.expovariate(1.0) * 1.5), 12)):
            probability = round(chance.betavariate(0.8, 1.6), 4)
            draw = dependence**0.5 * common + (1 - dependence) ** 0.5 * chance.gauss(0, 1)
            right = _NORMAL.cdf(draw) < probability
            words = [f"w{chance.randrange(10**6)}" for _ in range(_WORDS)]
            while True:
                id = f"d{len(documents)}"
                documents.append(_document(id, words))
                observations.append(Observation(id, edge, probability, right))
                if chance.random() >= copies:
                    break
                words = [*words[: _WORDS - _CHANGED], *(f"w{chance.randrange(10**6)}" for _ in range(_CHANGED))]
    return Corpus(documents, observations)


def tallies(made: Corpus) -> dict[int, EdgeTally]:
    """Return the tally of every edge, as the pipeline makes it, but in memory."""
    met: defaultdict[bytes, list[tuple[str, bytes]]] = defaultdict(list)
    for document in made.documents:
        signed = signature(document)
        for band in bands(signed):
            met[band].append((document.id, signed))
    leader: dict[str, str] = {}
    for group in met.items():
        for document_id, first in similar_in_band(group):
            leader[document_id] = min(first, leader.get(document_id, first))
    groups: defaultdict[int, dict[str, EdgeTally]] = defaultdict(dict)
    for seen in made.observations:
        first = leader.get(seen.document, seen.document)
        first, tally, known = leader.get(first, first), EdgeTally.of(seen.probability), groups[seen.edge]
        known[first] = known[first].with_duplicate(tally) if first in known else tally
    return {edge: reduce(EdgeTally.with_independent, known.values()) for edge, known in groups.items()}


def plain_noisy_or(made: Corpus) -> dict[int, float]:
    """Return the noisy-or over all documents of each edge, copies and all."""
    wrong: dict[int, float] = {}
    for seen in made.observations:
        wrong[seen.edge] = wrong.get(seen.edge, 1.0) * (1.0 - seen.probability)
    return {edge: 1.0 - value for edge, value in wrong.items()}


def error(confidence: dict[int, float], right: dict[int, bool]) -> float:
    """Return the expected calibration error over some edges."""
    edges = sorted(confidence)
    return quality(np.array([confidence[e] for e in edges]), np.array([right[e] for e in edges])).ece


def _document(id: str, words: list[str]) -> Document:
    tokens, at = [], 0
    for word in words:
        tokens.append((at, at + len(word)))
        at += len(word) + 1
    return Document(id, "made", id, " ".join(words), tuple(tokens), ((0, len(tokens)),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", type=int, default=20_000)
    parser.add_argument("--copies", type=float, default=0.3)
    chosen = parser.parse_args()
    rows = []
    for dependence in (0.0, 0.2, 0.4, 0.6):
        made = corpus(chosen.edges, chosen.copies, dependence)
        right, plain, counted = made.right(), plain_noisy_or(made), tallies(made)
        several = {edge for edge, tally in counted.items() if tally.support > 1}
        for correlation in (0.0, 0.2, 0.4, 0.6):
            found = {edge: tally.edge("", "", "", "", correlation).confidence for edge, tally in counted.items()}
            row = {
                "edges": len(right),
                "documents": len(made.documents),
                "dependence": dependence,
                "correlation": correlation,
                "ece_plain": error(plain, right),
                "ece": error(found, right),
                "ece_plain_several": error({e: plain[e] for e in several}, right),
                "ece_several": error({e: found[e] for e in several}, right),
            }
            rows.append({name: round(value, 4) for name, value in row.items()})
            print("  ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    RESULTS.write_text(json.dumps({"copies": chosen.copies, "results": rows}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
