"""`factmill info`: how a graph was built, or the properties of an extractor."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.display.quantities import counted, megabytes
from runners.display.terminal import printable
from runners.errors import UserError

if TYPE_CHECKING:
    from extractors.inference.confidence import RelationCalibration

_DEAD_LETTERS_SHOWN = 20
_SHORT = {"P": "precision", "R": "recall", "F1": "f1"}


@click.command(cls=Command, short_help="Describe a graph or an extractor.")
@click.argument("target", metavar="[DIR|NAME]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(target: str | None, as_json: bool) -> None:
    """Describe a graph or an extractor, or list the extractors that come with factmill.

    \b
    Examples:
      factmill info                    # list the shipped extractors
      factmill info docred-minilm      # an extractor: types, relations, figures
      factmill info runs/my-training/checkpoint
      factmill info graph              # a graph: options, versions, counts, what failed and why
    """
    if target is None:
        facts = _shipped()
    elif (Path(target) / "run.json").is_file():
        facts = _graph(Path(target))
    else:
        facts = _checkpoint(target)
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    if "figures" in facts:
        facts = {**facts, "figures": {part: _levels(scores) for part, scores in facts["figures"].items()}}
    for line in _lines(facts):
        click.echo(line)


def _shipped() -> dict[str, Any]:
    from extractors.checkpoints.checkpoint import find_checkpoint, load_config, shipped
    from extractors.checkpoints.registered import registered_names

    rows = {}
    for name in (*shipped(), *registered_names()):
        folder = find_checkpoint(name)
        schema = load_config(folder).schema
        rows[name] = (
            f"{counted(len(schema.relations), 'relation')} between "
            f"{', '.join(schema.entity_types)}; {megabytes(folder)}"
        )
    return {"extractors": rows or "none in this installation: train one with 'factmill train'"}


def _checkpoint(name_or_folder: str) -> dict[str, Any]:
    from extractors.checkpoints.checkpoint import (
        CheckpointError,
        find_checkpoint,
        fingerprint,
        load_calibration,
        load_config,
    )

    try:
        folder = find_checkpoint(name_or_folder)
    except CheckpointError as error:
        raise UserError(f"'{name_or_folder}' is no graph (it has no run.json), and {error}") from None
    config, calibration = load_config(folder), load_calibration(folder)
    schema = config.schema
    encoder = (
        f"{config.backbone.get('model_type')}, {config.backbone.get('num_hidden_layers')} layers of "
        f"width {config.backbone.get('hidden_size')}"
    )
    if config.averaged_layers > 1:
        encoder += f", of which the last {config.averaged_layers} are averaged"
    marked = [name for name, used in (("markers", config.markers), ("embeddings", config.entity_embeddings)) if used]
    return {
        "checkpoint": str(folder),
        "size": megabytes(folder),
        "parameters": f"{_parameters(folder) / 1e6:.1f} million",
        "fingerprint": fingerprint(folder),
        "encoder": encoder
        + (f", averaged over the last {config.averaged_layers}" if config.averaged_layers > 1 else ""),
        "entities": "joint: found in the text, or given with the documents"
        if config.joint
        else "relation-only: documents must have entities" + (f", marked by {' and '.join(marked)}" if marked else ""),
        "relation head": config.head,
        "head options": _head_options(config.head, config.head_options),
        "loss": config.loss,
        "relation schema": schema.name,
        "languages": ", ".join(config.languages),
        "entity types": ", ".join(schema.entity_types),
        "relations": {relation.id: relation.label for relation in schema.relations},
        "calibration": {
            "selected on": calibration.selected_on,
            **(
                {"mention threshold": calibration.mention_threshold}
                | {"repeated name threshold": calibration.repeated_threshold}
                | {"coreference threshold": calibration.coreference_threshold}
                if config.joint
                else {}
            ),
            **_relating(calibration),
            "evidence threshold": calibration.evidence_threshold,
            "with given entities": {} if calibration.given is None else _relating(calibration.given),
        },
        "figures": calibration.figures,
    }


def _head_options(head: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a head, including defaults, if any is set; heads load torch, which takes seconds."""
    if not options:
        return {}
    import msgspec

    from extractors.heads import head_class, head_names

    if head not in head_names():
        return dict(options)
    values: dict[str, Any] = msgspec.to_builtins(msgspec.convert(options, head_class(head).options_type))
    return values


def _relating(calibration: RelationCalibration) -> dict[str, Any]:
    own = len(calibration.relation_thresholds)
    return {
        "probabilities": calibration.method,
        "relation threshold": calibration.relation_threshold,
        "relations with a threshold of their own": own or None,
    }


def _parameters(folder: Path) -> int:
    """Return the number of weights, read from the header of the file."""
    from math import prod

    from safetensors import safe_open

    from extractors.checkpoints.checkpoint import SCALE

    with safe_open(folder / "model.safetensors", framework="numpy") as file:
        names = [name for name in file.keys() if not name.endswith(SCALE)]  # noqa: SIM118 - no mapping
        return sum(prod(file.get_slice(name).get_shape()) for name in names)


def _graph(folder: Path) -> dict[str, Any]:
    from runners.arguments.run_report import read_report
    from sinks import GraphTables

    facts = read_report(folder)
    facts.pop("relation_schema", None)
    letters = GraphTables.open(folder).read("dead_letters").to_pylist()
    facts["dead letters"] = [
        f"{row['document_id']} ({row['source']}), {row['stage']}: {row['reason']}. {row['detail']}".strip()
        for row in letters[:_DEAD_LETTERS_SHOWN]
    ]
    if len(letters) > _DEAD_LETTERS_SHOWN:
        facts["dead letters"].append(f"... and {len(letters) - _DEAD_LETTERS_SHOWN:,} more in tables/dead_letters")
    return facts


def _levels(scores: Mapping[str, float]) -> dict[str, str]:
    """Return one line for each level of `LEVEL_precision`, `LEVEL_recall` and `LEVEL_f1`."""
    levels = [name.removesuffix("_precision") for name in scores if name.endswith("_precision")]
    return {
        level: "  ".join(f"{short} {scores.get(f'{level}_{name}', 0.0):.4f}" for short, name in _SHORT.items())
        for level in levels
    }


def _lines(facts: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield nested values as indented lines, without empty ones."""
    width = max((len(str(name)) for name, value in facts.items() if not isinstance(value, dict | list)), default=0)
    for name, value in facts.items():
        if value is None or value in ({}, [], ""):
            continue
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{name}"
            yield from (f"{indent}  {printable(str(item))}" for item in value)
        else:
            yield f"{indent}{name!s:{width}}  {printable(str(value))}"
