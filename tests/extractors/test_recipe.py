"""Recipes as data: what extends what, and that none reports on documents that it trained on or chose by."""

from pathlib import Path

import pytest

from extractors import shipped
from extractors.heads import HEADS
from extractors.heads.base import read_options
from extractors.heads.losses import LOSSES
from extractors.recipes.recipe import RECIPES, load_recipe, make_recipe, merged
from schemas import load_relation_schema

BASE = """
backbone: enc
relations: cdr
head: jerex-mrc
head_options: {local_context: false}
objective: {negative_spans: 7, evidence_weight: 0.1}
stages: [{corpora: [{data: train}], epochs: 3}]
selection: {data: dev, documents: "0:5"}
report: {data: dev, documents: "5:"}
"""
SHIPPED = sorted(RECIPES.glob("*.yaml"))
EXPERIMENTS = sorted((Path(__file__).resolve().parents[2] / "experiments").rglob("*.yaml"))
ALL = [*SHIPPED, *EXPERIMENTS]


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        return path

    return put


def test_a_recipe_extends_one_of_its_folder(write):
    write("base", BASE)
    recipe = load_recipe(
        write("mine", "extends: base\nseed: 4\nobjective: {negative_spans: 9}\nselection: {data: dev}")
    )
    assert (recipe.backbone, recipe.seed, recipe.head) == ("enc", 4, "jerex-mrc")
    assert (recipe.objective.negative_spans, recipe.objective.evidence_weight) == (9, 0.1)
    assert recipe.selection.documents == ""  # replaced as a whole
    assert recipe.head_options == {"local_context": False}


def test_the_options_of_a_head_do_not_stay_for_another_head(write):
    write("base", BASE)
    assert load_recipe(write("mine", "extends: base\nhead: jerex-grc")).head_options == {}
    write("middle", "extends: base\nhead_options: {global_entities: false}")
    last = load_recipe(write("last", "extends: middle\nhead: jerex-mrc"))
    assert last.head_options == {"local_context": False, "global_entities": False}


def test_a_recipe_with_a_former_name_of_a_head_is_readable(write):
    write("base", BASE.replace("jerex-mrc", "joined").replace("head_options: {local_context: false}", ""))
    assert load_recipe(write("mine", "extends: base\nseed: 2")).head == "typed-atlop"


def test_a_recipe_with_former_keys_is_readable(write):
    old = BASE + "encoder: transformer\nstatic_vectors: ''\n"
    old = old.replace(
        "{data: train}", "{data: train, completed_by: [a], completion_cut: 0.3, soft: true, closed: false}"
    )
    old = old.replace("epochs: 3", "epochs: 3, micro_batch: 2").replace("negative_spans: 7", "incomplete: negatives")
    recipe = load_recipe(write("mine", old))
    [corpus] = recipe.stages[0].corpora
    assert (corpus.teachers, corpus.pseudo_label_threshold, corpus.soft_labels) == (("a",), 0.3, True)
    assert recipe.objective.negative_share == 1.0


@pytest.mark.parametrize("line", ["encoder: static", "objective: {incomplete: positive-unlabelled}"])
def test_what_was_taken_out_is_refused(line, write):
    write("base", BASE)
    with pytest.raises(ValueError, match=r"mine\.yaml: '.*' was taken out"):
        load_recipe(write("mine", f"extends: base\n{line}"))


def test_a_recipe_extends_a_shipped_one(write):
    recipe = load_recipe(write("mine", "extends: cdr-minilm\nseed: 5"))
    assert recipe.seed == 5
    assert recipe.relations == "cdr"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: mine", "extends itself"),
        ("extends: other", "extends itself"),
        ("extends: absent", "no recipe at '.*absent.yaml'"),
        ("- a list", "Expected `object`, got `array`"),
        ("backbone: [", "mine.yaml"),
        (BASE + "markers: true", "a joint extractor finds the entities itself"),
        (BASE + "unknown: 1", "unknown"),
    ],
)
def test_mistakes_are_named(text, message, write):
    write("other", "extends: mine")
    with pytest.raises(ValueError, match=message):
        load_recipe(write("mine", text))


def test_rates_may_be_written_without_a_point():
    values = {"stages": [{"corpora": [{"data": "a"}], "epochs": 1, "encoder_rate": "1e-4"}]}
    rest = {"backbone": "b", "relations": "cdr", "head": "atlop", "selection": {"data": "a"}, "report": {"data": "b"}}
    assert make_recipe(merged(rest, values), "here").stages[0].encoder_rate == 1e-4


def test_there_are_experiments():
    assert len(EXPERIMENTS) > 50
    assert len({path.stem for path in ALL}) == len(ALL)  # a run is named after its recipe


@pytest.mark.parametrize("head", HEADS)
def test_every_head_has_a_starting_point_that_needs_no_earlier_run(head):
    recipe = load_recipe(RECIPES / f"{head}.yaml")
    assert recipe.head == head
    assert recipe.loss == HEADS[head].published_loss
    assert recipe.starts == ()
    assert all(not corpus.teachers for stage in recipe.stages for corpus in stage.corpora)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_recipe_fits_what_is_there(path):
    recipe = load_recipe(path)
    assert recipe.loss in LOSSES
    read_options(HEADS[recipe.head].options_type, recipe.head_options)
    load_relation_schema(recipe.relations)
    made = {*shipped(), *(f"runs/{other.stem}/checkpoint" for other in ALL)}
    teachers = {name for stage in recipe.stages for corpus in stage.corpora for name in corpus.teachers}
    made |= {stage.name for stage in recipe.stages}
    assert {*recipe.starts, *teachers} <= made
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_recipe_reports_on_untouched_documents(path):
    recipe = load_recipe(path)
    places = range(4_000)

    def documents(corpus):
        return {(corpus.data, place) for place in places[corpus.positions()]}

    trained = set().union(*(documents(corpus) for stage in recipe.stages for corpus in stage.corpora))
    chosen, reported = documents(recipe.selection), documents(recipe.report)
    assert not trained & chosen
    assert not trained & reported
    assert not chosen & reported
