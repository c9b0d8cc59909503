"""The progress of a training, and its plot after every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.display.progress import Progress as Shown
from runners.display.progress import progress_on
from runners.display.training_plot import can_draw, draw_run

if TYPE_CHECKING:
    from extractors.recipes.recipe import Recipe, Stage
    from extractors.training.trainer import Progress, PseudoLabelling
    from schemas import Document


@contextmanager
def show_training(recipe: Recipe, corpora: Mapping[str, Sequence[Document]], out: Path) -> Iterator[TrainingProgress]:
    """Show the progress of a training on standard error while the block runs, and plot it in `out`."""
    if not can_draw():
        click.echo("The run is not plotted without matplotlib: pip install 'factmill[train]'", err=True)
    with progress_on() as shown:
        yield TrainingProgress(recipe, corpora, out, shown)


class TrainingProgress:
    """Listens to a training and shows its progress.

    Args:
        recipe: the recipe.
        corpora: the documents.
        out: folder of the run.
        shown: the display.
    """

    def __init__(self, recipe: Recipe, corpora: Mapping[str, Sequence[Document]], out: Path, shown: Shown) -> None:
        self._stages = recipe.stages
        self._sizes = [stage_size(stage, recipe, corpora) for stage in recipe.stages]
        self._before = [
            sum(size * stage.epochs for size, stage in zip(self._sizes[:at], recipe.stages, strict=False))
            for at in range(len(recipe.stages) + 1)
        ]
        self._out = out
        self._shown = shown
        self._earlier: int | None = None
        self._score = ""

    def __call__(self, progress: Progress | PseudoLabelling) -> None:
        """Show a step of training or of pseudo-labelling; plot the run after an epoch."""
        from extractors.training.trainer import PseudoLabelling  # here, because it loads torch

        if isinstance(progress, PseudoLabelling):
            ended = progress.done == progress.total
            self._shown(f"pseudo-labels {progress.corpus}", progress.done, progress.total, ended=ended)
            return
        stage, size = self._stages[progress.stage], self._sizes[progress.stage]
        # The last batch of an epoch may be smaller.
        within = progress.step - progress.epoch * -(-size // stage.batch)
        epochs_done = self._before[progress.stage] + progress.epoch * size
        done = epochs_done + min(within * stage.batch, size)
        if self._earlier is None:
            self._earlier = epochs_done
        if progress.score is not None:
            self._score = f"  last F1 {progress.score:.4f}"
        note = f"loss {progress.loss:.4f}{self._score}"
        if stage.epochs > 1:
            note = f"epoch {progress.epoch + 1} of {stage.epochs}  {note}"
        if len(self._stages) > 1:
            note = f"stage {progress.stage + 1} of {len(self._stages)}  {note}"
        ended = done == self._before[-1] and progress.score is not None
        self._shown("train", done, self._before[-1], ended=ended, earlier=self._earlier, note=note)
        if progress.score is not None and can_draw():
            draw_run(self._out)


def stage_size(stage: Stage, recipe: Recipe, corpora: Mapping[str, Sequence[Document]]) -> int:
    """Return how many documents an epoch of a stage has.

    A text in several corpora counts once; texts on which the recipe selects or reports are not trained on.
    """
    judged = {
        document.text
        for corpus in (recipe.selection, recipe.report)
        for document in corpora.get(corpus.data, ())[corpus.positions()]
    }
    return len(
        {
            document.text
            for corpus in stage.corpora
            for document in corpora[corpus.data][corpus.positions()]
            if document.tokens and document.entities and document.text not in judged
        }
    )
