"""`factmill calibrate`, and what a calibrated checkpoint does in `evaluate` and `build`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from extractors.checkpoints.checkpoint import load_calibration
from runners.cli.main import main

ANNOTATED = Path(__file__).resolve().parents[3] / "examples" / "annotated" / "biomedicine.pubtator"


def run(*args):
    return CliRunner().invoke(main, [*map(str, args)])


@pytest.fixture(scope="module")
def calibrated(checkpoint, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("calibrated") / "copy"
    result = run("calibrate", checkpoint, "--data", ANNOTATED, "--documents", ":2", "--report", "2:", "--out", folder)
    assert result.exit_code == 0, result.output
    return folder


def test_a_calibrated_copy_leaves_the_checkpoint_alone(checkpoint, calibrated):
    assert load_calibration(checkpoint).selected_on == "nothing"
    calibration = load_calibration(calibrated)
    assert calibration.selected_on == "biomedicine[:2]"
    assert set(calibration.figures) == {"biomedicine[:2]", "biomedicine[2:]"}
    assert (calibrated / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()


def test_the_card_of_a_calibrated_copy_has_its_figures(checkpoint, calibrated):
    before, after = ((folder / "README.md").read_text() for folder in (checkpoint, calibrated))
    assert before.partition("## Figures")[0] == after.partition("## Figures")[0]
    assert "chosen on `biomedicine[:2]`" in after
    assert "### biomedicine[2:]" in after


def test_shared_checkpoints_are_not_changed():
    result = run("calibrate", "cdr-minilm", "--data", ANNOTATED)
    assert result.exit_code == 2
    assert "--out DIR" in result.stderr


def test_an_evaluation_judges_probabilities_and_draws_them(calibrated, tmp_path):
    pytest.importorskip("matplotlib")
    args = ("evaluate", ANNOTATED, "--model", calibrated, "--entities", "given")
    result = run(*args, "--json", "--plots", tmp_path)
    assert result.exit_code == 0, result.output
    probabilities = json.loads(result.stdout)["probabilities"]
    assert 0 <= probabilities["ece"] <= 1
    assert "best F1" in probabilities["thresholds"]
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{kind}" for name in ("reliability", "precision-recall") for kind in ("svg", "png")
    }
    table = run(*args).stdout
    assert "calibrated thresholds" in table
    everything = json.loads(run(*args, "--json", "--min-confidence", 0).stdout)["relations"]["overall"]
    nothing = json.loads(run(*args, "--json", "--min-confidence", 1).stdout)["relations"]["overall"]
    assert everything["predicted"] > nothing["predicted"] == 0


@pytest.mark.parametrize("command", ["build", "evaluate"])
def test_one_target_at_a_time(command, calibrated, tmp_path):
    out = ("--out", tmp_path / "o") if command == "build" else ()
    result = run(command, ANNOTATED, *out, "--model", calibrated, "--min-confidence", 0.5, "--min-precision", 0.9)
    assert result.exit_code == 2
    assert "give one of them" in result.stderr


def test_a_precision_out_of_reach_stops_a_build_before_any_work(calibrated, tmp_path):
    result = run("build", ANNOTATED, "--out", tmp_path / "o", "--model", calibrated, "--min-precision", 0.999)
    assert result.exit_code == 2
    assert "bound is at most" in result.stderr
    assert not (tmp_path / "o").exists()


FOREIGN = (
    "1|t|Lithium and tremor.\n1|a|Lithium caused tremor.\n1\t0\t7\tLithium\t{chemical}\tD008094\n"
    "1\t12\t18\ttremor\tDisease\tD014202\n1\t{relation}\tD008094\tD014202\n"
)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"chemical": "Chemical", "relation": "Cures"},
            "relations of the annotated documents: Cures (1); it knows CID",
        ),
        ({"chemical": "Salt", "relation": "CID"}, "entity types of the annotated documents: Salt (1); it knows"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "calibrate", "train"])
def test_annotations_that_an_extractor_does_not_know_are_refused_before_any_work(
    command, words, message, checkpoint, tmp_path
):
    path = tmp_path / "a.pubtator"
    path.write_text(FOREIGN.format(**words))
    args = {
        "evaluate": (path, "--model", checkpoint, "--entities", "given"),
        "calibrate": (checkpoint, "--data", path, "--out", tmp_path / "out"),
        "train": ("--head", "atlop", "--relations", "cdr", "--data", path, "--dev", path, "--out", tmp_path / "out"),
    }[command]
    result = run(command, *args)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "extract" not in result.stderr.partition("Error")[0]
    assert not (tmp_path / "out").exists()


def test_from_bare_text_other_entity_types_are_no_obstacle(checkpoint, tmp_path):
    path = tmp_path / "a.pubtator"
    path.write_text(FOREIGN.format(chemical="Salt", relation="CID"))
    assert run("evaluate", path, "--model", checkpoint).exit_code == 0
