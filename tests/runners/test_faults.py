"""What a user meets when something breaks: one message with the remedy, and a command that goes on."""

import json
import shutil

import pytest
from click.testing import CliRunner

from pipeline.build_run import BuildRun
from pipeline.dead_letters import BuildFailed
from runners.cli.main import main


def factmill(*args):
    return CliRunner().invoke(main, [*map(str, args)])


OPTIONS = ["--schema", "cdr", "--rules", "types=enforce", "--correlation", "0.25", "--no-resolve", "--no-link"]


def test_a_build_goes_on_with_all_options_that_it_began_with(checkpoint, texts, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def breaking(*_):
        raise BuildFailed("the machine was lost")

    where = ("--model", checkpoint, "--runner", "memory", "--limit", 2, *OPTIONS)
    with monkeypatch.context() as patch:
        patch.setattr(BuildRun, "make_graph", breaking)
        assert "the machine was lost" in factmill("build", texts, "--out", out, *where).stderr
    other = factmill("build", "--resume", "--out", out, "--runner", "memory", "--correlation", 0.5)
    assert "because its options were different: start again without --resume" in other.stderr
    result = factmill("build", "--resume", "--out", out, "--runner", "memory")
    assert result.exit_code == 0, result.output
    options, report = (json.loads((out / "run.json").read_text())[key] for key in ("options", "counts"))
    told = {name: options[name] for name in ("schema", "rules", "correlation", "resolve", "link", "limit")}
    assert told == {
        "schema": "cdr",
        "rules": {"types": "enforce"},
        "correlation": 0.25,
        "resolve": False,
        "link": False,
        "limit": 2,
    }
    assert report["extracted"] == {"before": 2}


def cut_short(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def other_architecture(folder):
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"num_hidden_layers": 1', '"num_hidden_layers": 2'))


def tampered(folder):
    path = folder / "model.safetensors"
    weights = path.read_bytes()
    path.write_bytes(weights[:-100] + bytes([weights[-100] ^ 1]) + weights[-99:])


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_short, "is cut short or damaged"),
        (tampered, "was changed after it was saved"),
        (other_architecture, "does not fit config.json"),
        (pickled, "model.safetensors is missing: the checkpoint is incomplete"),
    ],
)
def test_a_damaged_checkpoint_is_refused_before_any_work(damage, message, checkpoint, texts, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "damaged")
    damage(folder)
    result = factmill("build", texts, "--out", tmp_path / "out", "--model", folder)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output
    assert not (tmp_path / "out").exists()
