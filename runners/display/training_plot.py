"""The plot of a training run: loss and F1 over the steps, as SVG and PNG."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from runners.display.training_log import TrainingLog, read_training_log
from runners.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "training"
_LOSS, _SCORE = "#8a8f98", "#1f6fb2"


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw_run(folder: Path) -> list[Path]:
    """Plot the run in a folder to `training.svg` and `training.png` in it, and return their paths.

    The same log gives the same bytes.

    Raises:
        UserError: matplotlib is missing.
        ValueError: the folder has no run with at least one epoch or row of losses.
    """
    if not can_draw():
        raise UserError("drawing needs matplotlib: pip install 'factmill[train]'")
    import matplotlib as mpl

    course = read_training_log(folder)
    if not course.losses and not course.epochs:
        raise ValueError(f"nothing to draw in '{folder}' yet: the log has no steps")
    paths = []
    # A fixed salt and no date, so that the bytes of the SVG are the same each time.
    with mpl.rc_context({"svg.hashsalt": "factmill"}):
        figure = _figure(course)
        for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            content = io.BytesIO()
            figure.savefig(content, format=suffix, metadata=metadata, dpi=150)
            path = folder / f"{NAME}.{suffix}"
            path.with_suffix(".part").write_bytes(content.getvalue())
            path.with_suffix(".part").replace(path)
            paths.append(path)
    return paths


def _figure(course: TrainingLog) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    # A long run has thousands of rows, a short one has only the means of its epochs.
    losses = course.losses or [(epoch.steps, epoch.loss) for epoch in course.epochs]
    above.plot(*zip(*losses, strict=True), color=_LOSS, marker="" if len(losses) > 60 else ".")
    above.set_ylabel("training loss")
    above.set_ylim(bottom=0)
    below.plot([e.steps for e in course.epochs], [100 * e.score for e in course.epochs], color=_SCORE, marker="o")
    best = course.best
    if best is not None:
        label = f"best of the {'last stage' if best.stage else 'run'}: {100 * best.score:.1f}"
        below.plot(best.steps, 100 * best.score, "o", color=_SCORE, markersize=12, fillstyle="none", label=label)
        below.legend(loc="lower right", frameon=False)
    below.set_ylabel("F1 on selection, %")
    below.set_xlabel("steps")
    for axes in (above, below):
        _plain(axes, course)
    return figure


def _plain(axes: Axes, course: TrainingLog) -> None:
    """Remove the upper and right edges, and mark where stages begin."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6")
    for before, after in zip(course.epochs, course.epochs[1:], strict=False):
        if before.stage != after.stage:
            axes.axvline(before.steps, color="#bbbbbb", linestyle=":")
