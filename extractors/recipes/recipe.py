"""Recipes: a YAML file with the corpora, stages and choices of a training run. Reading a recipe needs no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec

from extractors.network.config import Architecture
from extractors.network.former_names import current_names
from extractors.recipes.card_facts import CardFacts
from schemas import Record

# What stages call the network before the first of them.
INITIAL = "initial"
_STAGE_NAME = re.compile(r"[\w-]*")

RECIPES = Path(__file__).parent


class Objective(Record, frozen=True):
    """Weights and sample sizes of the joint loss.

    Attributes:
        mention_weight, coreference_weight, type_weight, relation_weight: the betas of equation 13.
        evidence_weight: weight of the evidence loss, for facts whose evidence is annotated.
        negative_share: share of the unrelated pairs of incompletely labelled documents that are negatives.
        negative_spans, negative_mention_pairs, negative_entity_pairs: negatives per document (N_s, N_c, N_r); None
            takes all.
    """

    mention_weight: float = 1.0
    coreference_weight: float = 1.0
    type_weight: float = 0.25
    relation_weight: float = 1.0
    evidence_weight: float = 0.0
    negative_share: float = 1.0
    negative_spans: int | None = 200
    negative_mention_pairs: int | None = 200
    negative_entity_pairs: int | None = 200


class Corpus(Record, frozen=True):
    """Some documents of a data file.

    Attributes:
        data: name of the file, given on the command line as `--data NAME=PATH`.
        documents: `start:stop` positions in the file; empty for all.
        facts: whether its facts take part in the relation loss.
        entities: whether its mentions, clusters and types are learned; not where they are only approximate.
        complete: whether all facts of its documents are annotated.
        teachers: extractors that add pseudo-labels between annotated entities, see `pseudo_labels.py`: names of earlier
            stages of the recipe, or checkpoints.
        pseudo_label_threshold: least mean probability of a pseudo-label.
        soft_labels: whether facts are learned with their probability (that of the file's labels, and the teachers');
            otherwise each counts like an annotated one.
        absent: relations that hold in none of these documents; pseudo-labels of them are removed.
    """

    data: str
    documents: str = ""
    facts: bool = True
    entities: bool = True
    complete: bool = True
    teachers: tuple[str, ...] = ()
    pseudo_label_threshold: float = 0.5
    soft_labels: bool = False
    absent: tuple[str, ...] = ()

    def positions(self) -> slice:
        """Return `documents` as a slice."""
        start, _, stop = self.documents.partition(":")
        return slice(int(start) if start else None, int(stop) if stop else None)


class Stage(Record, frozen=True):
    """A stretch of training with its own corpora and learning rates.

    Attributes:
        corpora: where a text occurs in several, the last one's annotations are used.
        epochs: passes over the corpora; 0 takes the weights of `start` as they are, and of several the mean of those
            that improve it on the selection documents, see `soup.py`.
        encoder_rate, head_rate: peak learning rates; linear warm-up and decay over the stage.
        base_rate: that of the base module of a relation head that has one; None for `head_rate`.
        batch: documents per step.
        base_only: whether the base module of the relation head is trained alone; never in the last stage.
        frozen: beginnings of names of parameters that do not learn, for example `encoder`, `relation_head.base`.
        masking: share of the words that are masked, drawn in each step, see `masking.py`.
        name: by which later stages refer to this one; its extractor is kept in the folder of the run.
        start: earlier stages whose weights the stage starts from, of several their mean; `initial` is the network
            before the first stage. Empty goes on from the stage before.
    """

    corpora: tuple[Corpus, ...] = ()
    epochs: Annotated[int, msgspec.Meta(ge=0)] = 1
    encoder_rate: float = 5e-5
    head_rate: float = 2e-4
    base_rate: float | None = None
    batch: int = 4
    base_only: bool = False
    frozen: tuple[str, ...] = ()
    masking: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    name: str = ""
    start: tuple[str, ...] = ()


class Recipe(Architecture, frozen=True, kw_only=True):
    """A whole training run over an architecture.

    Attributes:
        backbone: a folder, the name of an installed package that carries an encoder, or a hub model.
        relations: relation schema, by name or path.
        selection: documents on which the best epoch and the thresholds are chosen.
        report: documents that nothing is chosen on; their figures go into the model card.
        start: checkpoint whose weights the network starts from, as far as they fit; of several, their means. Empty for
            the bare backbone.
        warmup: share of a stage's steps.
        averaging: epochs are judged, and kept, with running means of the weights, of which each step leaves this share
            (0.998: means over some 500 steps); 0 for the weights themselves.
        card: facts of the model card that follow from no other value.
    """

    backbone: str
    relations: str
    stages: tuple[Stage, ...]
    selection: Corpus
    report: Corpus
    objective: Objective = Objective()
    start: str | tuple[str, ...] = ""
    warmup: float = 0.06
    clip: float = 1.0
    averaging: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    seed: int = 1
    card: CardFacts = CardFacts()

    @property
    def starts(self) -> tuple[str, ...]:
        """The checkpoints of `start`."""
        if isinstance(self.start, str):
            return (self.start,) if self.start else ()
        return self.start


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ValueError: the file is missing or breaks a rule; the message names the key.
    """
    return make_recipe(read_values(path), str(path))


def make_recipe(values: dict[str, Any], origin: str) -> Recipe:
    """Check the values of a recipe; `origin` says in messages where they come from.

    Raises:
        ValueError: a value breaks a rule; the message names the key.
    """
    try:
        # Not strict, because YAML takes 1e-4 for a text.
        recipe = msgspec.convert(values, Recipe, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{origin}: {error}") from None
    if recipe.joint and (recipe.markers or recipe.entity_embeddings):
        raise ValueError(
            f"{origin}: a joint extractor finds the entities itself: leave out 'markers' and 'entity_embeddings'"
        )
    if recipe.stages and recipe.stages[-1].base_only:
        raise ValueError(f"{origin}: the last stage trains the base module only: add one that trains the whole head")
    _check_stages(recipe.stages, origin)
    return recipe


def _check_stages(stages: tuple[Stage, ...], origin: str) -> None:
    """Check that stages are named once, refer to earlier ones only, and have something to do."""
    earlier: list[str] = [INITIAL]
    names = {stage.name for stage in stages}
    for number, stage in enumerate(stages, start=1):
        if stage.epochs and not stage.corpora:
            raise ValueError(f"{origin}: stage {number} has no corpora: name some, or set 'epochs: 0'")
        if not stage.epochs and not stage.start:
            raise ValueError(f"{origin}: stage {number} has no epochs and no 'start': nothing is left to do")
        unknown = [name for name in stage.start if name not in earlier]
        # A teacher may also be a checkpoint; but the name of a stage means the stage, which must come first.
        unknown += [n for c in stage.corpora for n in c.teachers if n and n in names and n not in earlier]
        if unknown:
            known = ", ".join(earlier)
            raise ValueError(f"{origin}: stage {number} refers to '{unknown[0]}', which is no earlier stage ({known})")
        if stage.name in earlier or not _STAGE_NAME.fullmatch(stage.name):
            raise ValueError(
                f"{origin}: stage {number} cannot be named '{stage.name}': choose another name of letters, digits, "
                "'-' and '_'"
            )
        if stage.name:
            earlier.append(stage.name)


def read_values(path: Path, readers: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return what a recipe file says, after what the recipe says that it extends.

    `extends: NAME` names a recipe file without its ending, relative to the folder of this one, or a recipe that comes
    with factmill.

    Args:
        path: the file.
        readers: the files that extend this one.

    Raises:
        ValueError: a file is missing, no YAML mapping, or extends itself.
    """
    if not path.is_file():
        raise ValueError(f"no recipe at '{path}': give the path of a YAML file or the name of a shipped recipe")
    if path.resolve() in {reader.resolve() for reader in readers}:
        raise ValueError(f"{path}: the recipe extends itself")
    try:
        values = msgspec.yaml.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ValueError(f"{path}: {reason}") from None
    try:
        values = current_names(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    base = values.pop("extends", None)
    if base is None:
        return values
    own = path.parent / f"{base}.yaml"
    return merged(read_values(own if own.is_file() else RECIPES / f"{base}.yaml", (*readers, path)), values)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a recipe with changes; `objective` and `head_options` are merged key by key.

    The options of a head go with it: they do not stay when another head is named.
    """
    if changes.get("head", base.get("head")) != base.get("head"):
        base = {key: value for key, value in base.items() if key != "head_options"}
    both: dict[str, Any] = {
        key: {**base.get(key, {}), **changes[key]} for key in ("objective", "head_options") if key in changes
    }
    return {**base, **changes, **both}
