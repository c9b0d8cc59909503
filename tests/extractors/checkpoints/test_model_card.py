import msgspec
import pytest
import yaml

from extractors.checkpoints.checkpoint import CARD, find_checkpoint, load_calibration, load_config, shipped
from extractors.checkpoints.model_card import model_card, recalibrated
from extractors.recipes.card_facts import CardFacts, Dataset
from extractors.recipes.recipe import RECIPES, load_recipe

FACTS = CardFacts(
    license="apache-2.0",
    languages=("en",),
    encoder="some encoder, MIT",
    datasets=(Dataset('The "Harbour" corpus', "CC0", "training: 12 documents"),),
    intended_use="Finding who sails where.",
    limits=("Ships only.",),
    command="factmill train harbour --out runs/harbour",
)


@pytest.fixture
def parts():
    folder = find_checkpoint("cdr-minilm")
    recipe = msgspec.structs.replace(load_recipe(RECIPES / "cdr-minilm.yaml"), card=FACTS)
    return recipe, load_config(folder), load_calibration(folder)


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def test_a_card_states_data_licences_use_command_and_limits(parts):
    card = model_card(*parts)
    for text in (
        "Finding who sails where.",
        '| The "Harbour" corpus | CC0 | training: 12 documents |',
        "(some encoder, MIT)",
        "factmill train harbour --out runs/harbour",
        "- Ships only.",
        "Licence of the weights: apache-2.0.",
    ):
        assert text in card


def test_a_calibration_changes_the_figures_of_a_card_and_nothing_else(parts):
    _recipe, config, calibration = parts
    card = model_card(*parts)
    other = msgspec.structs.replace(calibration, selected_on="harbour[0:9]", figures={})
    changed = recalibrated(card, config, other)
    assert "`harbour[0:9]`" in changed
    assert "| level |" not in changed
    assert recalibrated(changed, config, calibration) == card


def test_a_recipe_without_facts_has_a_card_without_front_matter(parts):
    recipe, config, calibration = parts
    card = model_card(msgspec.structs.replace(recipe, card=CardFacts()), config, calibration)
    assert card.startswith("# factmill checkpoint: cdr")
    assert "## Data" not in card


@pytest.mark.parametrize("name", shipped())
def test_shipped_cards_name_licence_languages_data_and_the_command(name):
    card = (find_checkpoint(name) / CARD).read_text("utf-8")
    head = front_matter(card)
    assert head["license"] == "apache-2.0"
    assert head["language"] == ["en"]
    assert head["datasets"]
    assert f"factmill train {name} " in card
    for heading in ("## Intended use", "## Data", "## Training", "## Figures", "## Limits"):
        assert heading in card


def test_a_card_explains_stages_that_learn_from_others(parts):
    recipe, config, calibration = parts
    stages = load_recipe(RECIPES / "docred-minilm.yaml").stages
    card = model_card(msgspec.structs.replace(recipe, stages=stages), config, calibration)
    assert "1. `teacher`: 10 epochs on `complete`; learning rates" in card
    assert "`rest` (relations only) (pseudo-labels of `teacher`)" in card
    assert "4. the mean of those of `teacher`, `student-1`, `student-2` that improve it" in card
