"""A reliability plot and a precision-recall curve, as SVG and PNG; the same data give the same bytes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from extractors.calibration.calibration_error import FLOOR, Reliability, reliability
from extractors.calibration.candidates import as_plain_text, candidates_found
from extractors.encoder.featurizer import Featurizer
from extractors.inference.confidence import Calibration
from extractors.inference.extractor import Extractor
from extractors.network.network import Network
from schemas import Document

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (5.0, 4.5)
_METADATA: dict[str, dict[str, str | None]] = {"svg": {"Date": None}, "png": {"Software": None}}


class PlotsNeedMatplotlib(ImportError):
    """matplotlib is not installed."""


def plot_probabilities(
    probabilities: NDArray[np.float64], correct: NDArray[np.bool_], gold: int, folder: Path
) -> list[Path]:
    """Write `reliability` and `precision-recall`, each as .svg and .png, and return their paths.

    Args:
        probabilities: of candidate facts; those below `FLOOR` are left out, shape (n,).
        correct: whether each is a gold fact, shape (n,).
        gold: number of gold facts, candidates or not.
        folder: where to; it is made if it does not exist.

    Raises:
        PlotsNeedMatplotlib: it is missing.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotsNeedMatplotlib("plots need matplotlib: pip install matplotlib") from None
    likely = probabilities >= FLOOR
    probabilities, correct = probabilities[likely], correct[likely]
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with rc_context({"svg.hashsalt": "factmill", "svg.fonttype": "none", "font.size": 9}):
        for name in ("reliability", "precision-recall"):
            figure = Figure(figsize=_SIZE, layout="constrained")
            axes = figure.add_subplot()
            axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
            axes.grid(alpha=0.3)
            if name == "reliability":
                _draw_reliability(axes, reliability(probabilities, correct))
            else:
                _draw_precision_recall(axes, probabilities, correct, gold)
            for kind, metadata in _METADATA.items():
                paths.append(folder / f"{name}.{kind}")
                figure.savefig(paths[-1], dpi=150, metadata=metadata)
    return paths


def plot_extractor(
    model: Network, featurizer: Featurizer, calibration: Calibration, documents: Sequence[Document], folder: Path
) -> list[Path]:
    """Plot the probabilities of what a network finds in documents: from bare text if it is joint.

    Raises:
        PlotsNeedMatplotlib: it is missing.
    """
    seen = [as_plain_text(document) for document in documents] if model.config.joint else documents
    extractor = Extractor(copy.deepcopy(model), featurizer, calibration.with_threshold(FLOOR))
    found = extractor.extract([featurizer.featurize(document) for document in seen])
    candidates = candidates_found(documents, found, extractor.schema)
    return plot_probabilities(candidates.score, candidates.correct, int(candidates.gold.sum()), folder)


def _draw_reliability(axes: Axes, bins: Reliability) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    axes.plot(bins.probability, bins.share, color="C0", linewidth=1)
    axes.scatter(bins.probability, bins.share, s=8 + 160 * bins.count / max(1, bins.count.max(initial=0)), alpha=0.7)
    axes.set(
        xlabel="probability of a fact",
        ylabel="share that is right",
        title=f"{bins.count.sum():,} facts, ECE {bins.error:.4f} (area: facts in the bin)",
    )


def _draw_precision_recall(
    axes: Axes, probabilities: NDArray[np.float64], correct: NDArray[np.bool_], gold: int
) -> None:
    order = np.argsort(-probabilities, kind="stable")
    right, kept = np.cumsum(correct[order]), np.arange(1, len(order) + 1)
    last = np.flatnonzero(np.append(np.diff(probabilities[order]) != 0, True)) if len(order) else order
    precision, recall = right[last] / kept[last], right[last] / max(1, gold)
    axes.plot(recall, precision, color="C0", linewidth=1.2)
    for cut in (0.3, 0.5, 0.7, 0.9):
        at = int(np.searchsorted(-probabilities[order][last], -cut, side="right")) - 1
        if at >= 0:
            axes.plot(recall[at], precision[at], "o", color="C1", markersize=4)
            axes.annotate(f"{cut:g}", (recall[at], precision[at]), xytext=(4, 4), textcoords="offset points")
    axes.set(xlabel="recall", ylabel="precision", title="thresholds on probabilities")
