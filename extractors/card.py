"""The model card that every checkpoint carries as its README."""

from __future__ import annotations

from extractors.confidence import Calibration
from extractors.config import ModelConfig
from extractors.recipe import Recipe

LEVELS = {
    "mention": "mention localization",
    "coreference": "coreference resolution",
    "entity": "entity with type",
    "rel": "relation, clusters exact",
    "rel_nec": "relation, clusters and types exact",
    "relation": "relation, entities given",
    "intra": "relation within a sentence, entities given",
    "inter": "relation across sentences, entities given",
}


def model_card(recipe: Recipe, config: ModelConfig, calibration: Calibration) -> str:
    """Return the card as Markdown: what it is, how it was trained, its figures and limits."""
    schema = config.schema
    stages = "\n".join(
        f"{number}. {stage.epochs} epochs on "
        + ", ".join(
            f"`{c.data}`{f' documents {c.documents}' if c.documents else ''}{'' if c.facts else ' (entities only)'}"
            for c in stage.corpora
        )
        + f"; learning rates {stage.encoder_rate:g} (encoder) and {stage.head_rate:g} (rest), {stage.batch} per step"
        for number, stage in enumerate(recipe.stages, 1)
    )
    tables = "\n".join(_table(name, figures) for name, figures in calibration.figures.items())
    return f"""# factmill checkpoint: {schema.name}, {recipe.backbone}, {recipe.head}

A joint extractor after JEREX (Eberts and Ulges 2021): mentions, clusters, entity types and relations from one encoder
pass. Entity types: {", ".join(schema.entity_types)}. Relations: {len(schema.relations)} (`relations.json`).

## Training

Encoder: `{recipe.backbone}`; relation head: `{recipe.head}`; seed {recipe.seed}.

{stages}

The best epoch and all thresholds were chosen on `{calibration.selected_on}`: mention {calibration.mention_threshold},
coreference {calibration.coreference_threshold}, relation {calibration.relation_threshold} (calibrated probability).

## Figures

Strict, from bare text. Nothing was chosen on the last document set.

{tables}
## Limits

English only. The encoder ignores case, so factmill adds an embedding of each word's shape. Probabilities hold for
documents like those they were calibrated on; for others, `factmill calibrate` fits them anew.
"""


def _table(name: str, figures: dict[str, float]) -> str:
    rows = "\n".join(
        f"| {title} | {figures[f'{level}_precision']:.4f} | {figures[f'{level}_recall']:.4f} "
        f"| {figures[f'{level}_f1']:.4f} |"
        for level, title in LEVELS.items()
        if f"{level}_f1" in figures
    )
    return f"### {name}\n\n| level | precision | recall | F1 |\n|---|---|---|---|\n{rows}\n"
