"""The summary at the end of a training: the best epoch, figures, files, next steps."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from runners.display.build_summary import print_rows
from runners.display.quantities import duration, megabytes
from runners.display.terminal import printable
from runners.display.training_log import read_training_log

if TYPE_CHECKING:
    from extractors.recipes.recipe import Recipe


def print_training_summary(recipe: Recipe, checkpoint: Path, out: Path, stream: TextIO | None = None) -> None:
    """Print the summary of the finished run in `out` (to standard output when `stream` is None)."""
    course = read_training_log(out)
    selection = next(iter(course.figures), "the selection documents")
    best = course.best
    epochs = len([epoch for epoch in course.epochs if best is not None and epoch.stage == best.stage])
    stage = f" of stage {best.stage + 1}" if best is not None and best.stage else ""
    rows = {
        "extractor": f"{recipe.head} over {recipe.backbone}, "
        + ("joint" if recipe.joint else "relation-only: documents must have entities"),
        "best epoch": ""
        if best is None
        else f"{best.epoch + 1} of {epochs}{stage}, F1 {best.score:.4f} on {selection}, which selected it",
    }
    if recipe.stages and not recipe.stages[-1].epochs:
        rows["best epoch"] = ""
        rows["weights"] = f"of {', '.join(recipe.stages[-1].start)}" + (
            ", their mean" * (len(recipe.stages[-1].start) > 1)
        )
    level = "rel_nec" if recipe.joint else "relation"
    for name, figures in list(course.figures.items())[1:]:
        f1, precision, recall = (figures.get(f"{level}_{part}", 0.0) for part in ("f1", "precision", "recall"))
        between = ""
        if f"{level}_f1_low" in figures:
            between = f", 95 % interval {figures[f'{level}_f1_low']:.4f} to {figures[f'{level}_f1_high']:.4f}"
        rows["figures"] = f"F1 {f1:.4f} (P {precision:.4f}, R {recall:.4f}{between}) on {name}, which selected nothing"
        if "given_relation_f1" in figures:
            low, high = (figures[f"given_relation_f1_{end}"] for end in ("low", "high"))
            rows["given"] = (
                f"with entities given F1 {figures['given_relation_f1']:.4f}, 95 % interval {low:.4f} to {high:.4f}"
            )
    rows["time"] = duration(sum(epoch.seconds for epoch in course.epochs))
    click.echo("\nTrained extractor", stream)
    print_rows({name: value for name, value in rows.items() if value}, stream)
    click.echo("\nFiles", stream)
    what_for = {
        checkpoint: f"checkpoint, {megabytes(checkpoint)}; its README.md is the model card",
        out / "training.svg": "plot of loss and F1; also training.png",
        out / "log.jsonl": "log of losses and scores",
        out / "recipe.yaml": "recipe that repeats this training",
    }
    print_rows({str(path): what for path, what in what_for.items() if path.exists()}, stream)
    click.echo("\nNext steps", stream)
    folder = shlex.quote(printable(str(checkpoint)))
    inputs = "articles/" if recipe.joint else "annotated.pubtator"
    click.echo(f"  factmill info {folder}", stream)
    click.echo(f"  factmill evaluate test.json --model {folder}", stream)
    click.echo(f"  factmill build {inputs} --out graph --model {folder}", stream)
