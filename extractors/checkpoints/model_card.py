"""The model card that every checkpoint carries as its README."""

from __future__ import annotations

from extractors.inference.confidence import Calibration
from extractors.network.config import ModelConfig
from extractors.recipes.card_facts import CardFacts
from extractors.recipes.recipe import Recipe, Stage

LEVELS = {
    "mention": "mention localization",
    "coreference": "coreference resolution",
    "entity": "entity with type",
    "rel": "relation, clusters exact",
    "rel_nec": "relation, clusters and types exact",
    "relation": "relation, entities given",
    "intra": "relation within a sentence, entities given",
    "inter": "relation across sentences, entities given",
    "evidence": "evidence sentences, entities given",
}
# Begins the names of a joint extractor's figures between given entities.
GIVEN = "given_"


# Headings between which a calibration writes.
_FIGURES, _AFTER_FIGURES = "## Figures", "## Limits"


def model_card(recipe: Recipe, config: ModelConfig, calibration: Calibration) -> str:
    """Return the card as Markdown with the front matter that model hubs read.

    It states intended use, data and licences, training, figures with confidence intervals, and limits.
    """
    schema, facts = config.schema, recipe.card
    stages = "\n".join(f"{number}. {_stage(stage)}" for number, stage in enumerate(recipe.stages, 1))
    course = (
        f"{stages}\n\nThe best epoch was chosen on `{calibration.selected_on}`." if stages else "No further training."
    )
    starts = ", ".join(f"`{name}`" for name in recipe.starts)
    start = f", from the {'mean of the ' if len(recipe.starts) > 1 else ''}weights of {starts}" if starts else ""
    encoder = f" ({facts.encoder})" if facts.encoder else ""
    what = "Relates given entities; it finds none itself."
    if config.joint:
        what = (
            "A joint extractor after JEREX (Eberts and Ulges 2021): mentions, clusters, entity types and relations "
            "from one encoder pass."
        )
    command = f"\nThe command that trains it:\n\n```\n{facts.command.strip()}\n```\n" if facts.command else ""
    card = f"""{_front_matter(facts)}# factmill checkpoint: {schema.name}, {recipe.backbone}, {recipe.head}

{what} Entity types: {", ".join(schema.entity_types)}. Relations: {len(schema.relations)} (`relations.json`).
{_intended_use(facts)}{_data(facts)}
## Training

Encoder: `{recipe.backbone}`{encoder}{start}; relation head: `{recipe.head}`; seed {recipe.seed}.

{course}
{command}
{_FIGURES}

{_AFTER_FIGURES}

{_limits(facts)}"""
    return recalibrated(card, config, calibration)


def recalibrated(card: str, config: ModelConfig, calibration: Calibration) -> str:
    """Return a card with the thresholds and figures of another calibration."""
    before, _, rest = card.partition(_FIGURES)
    limits = rest.partition(_AFTER_FIGURES)[2]
    tables = "\n".join(_table(name, figures) for name, figures in calibration.figures.items())
    cuts = f"relation {calibration.relation_threshold} (calibrated probability)"
    how = "Entities given."
    if config.joint:
        how = "Strict, from bare text."
        cuts = (
            f"mention {calibration.mention_threshold}, repeated name {calibration.repeated_threshold}, "
            f"coreference {calibration.coreference_threshold}, {cuts}"
        )
    return f"""{before}{_FIGURES}

{how} Thresholds and calibration were chosen on `{calibration.selected_on}`: {cuts}. Nothing was chosen on the last
document set.

{tables}
{_AFTER_FIGURES}{limits}"""


def _front_matter(facts: CardFacts) -> str:
    """Return the YAML head of the card in the form of the Hugging Face hub; empty without a licence."""
    if not facts.license:
        return ""
    lines = ["---", f"license: {facts.license}", "library_name: factmill", "tags: [relation-extraction]"]
    if facts.languages:
        lines.append(f"language: [{', '.join(facts.languages)}]")
    if facts.datasets:
        lines.append("datasets:")
        lines += [f'  - "{dataset.name}"' for dataset in facts.datasets]
    return "\n".join([*lines, "---", "", ""])


def _intended_use(facts: CardFacts) -> str:
    parts = [facts.intended_use] if facts.intended_use else []
    if facts.languages:
        parts.append(f"Languages: {', '.join(facts.languages)}.")
    if facts.license:
        parts.append(f"Licence of the weights: {facts.license}.")
    return f"\n## Intended use\n\n{' '.join(parts)}\n" if parts else ""


def _data(facts: CardFacts) -> str:
    if not facts.datasets:
        return ""
    rows = "\n".join(f"| {each.name} | {each.license} | {each.use} |" for each in facts.datasets)
    return f"\n## Data\n\n| data set | licence | use |\n|---|---|---|\n{rows}\n"


def _limits(facts: CardFacts) -> str:
    general = (
        "Probabilities hold for documents like those that they were calibrated on; `factmill calibrate` fits them to "
        "others.",
    )
    return "".join(f"- {limit}\n" for limit in (*facts.limits, *general))


def _stage(stage: Stage) -> str:
    name = f"`{stage.name}`: " if stage.name else ""
    starts = ", ".join(f"`{start}`" for start in stage.start)
    if not stage.epochs:
        return f"{name}the mean of those of {starts} that improve it on the selection documents (greedy soup)"
    start = f", from the {'mean of the ' if len(stage.start) > 1 else ''}weights of {starts}" if starts else ""
    corpora = ", ".join(
        f"`{c.data}`"
        + (f" documents {c.documents}" if c.documents else "")
        + ("" if c.facts else " (entities only)")
        + ("" if c.entities else " (relations only)")
        + (f" (pseudo-labels of {', '.join(f'`{teacher}`' for teacher in c.teachers)})" if c.teachers else "")
        for c in stage.corpora
    )
    epochs = "1 epoch" if stage.epochs == 1 else f"{stage.epochs} epochs"
    rates = f"learning rates {stage.encoder_rate:g} (encoder) and {stage.head_rate:g} (rest), {stage.batch} per step"
    return f"{name}{epochs} on {corpora}{start}; {rates}"


def _table(name: str, figures: dict[str, float]) -> str:
    number = int(figures.get("documents", 0))
    count = f", {number} document{'s' * (number > 1)}" if number else ""
    parts = [f"### {name}{count}"]
    for prefix in ("", GIVEN):
        rows = [
            f"| {title} | {_percent(figures, key, 'precision')} | {_percent(figures, key, 'recall')} "
            f"| {_percent(figures, key, 'f1')} | {_interval(figures, key)} |"
            for level, title in LEVELS.items()
            for key in [prefix + level]
            if f"{key}_f1" in figures
        ]
        if rows:
            parts.append(
                "| level | precision | recall | F1 | 95 % interval of F1 |\n|---|---|---|---|---|\n" + "\n".join(rows)
            )
        if f"{prefix}ece" in figures:
            what = "with entities given" if prefix else "of the facts"
            low, high = (figures.get(f"{prefix}ece_{end}") for end in ("low", "high"))
            between = "" if low is None or high is None else f" (95 % interval {low:.3f} to {high:.3f})"
            parts.append(f"Expected calibration error {what}: {figures[f'{prefix}ece']:.3f}{between}.")
    return "\n\n".join(parts) + "\n"


def _percent(figures: dict[str, float], key: str, part: str) -> str:
    return f"{100 * figures[f'{key}_{part}']:.1f}"


def _interval(figures: dict[str, float], key: str) -> str:
    if f"{key}_f1_low" not in figures:
        return ""
    return f"{_percent(figures, key, 'f1_low')} to {_percent(figures, key, 'f1_high')}"
