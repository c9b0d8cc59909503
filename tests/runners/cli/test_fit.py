import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.linking.disambiguation import FEATURES as LINKING_FEATURES
from pipeline.resolution.fit import AGAINST
from runners.cli.main import main

ENCYCLOPEDIA = Path(__file__).resolve().parents[3] / "examples" / "encyclopedia.xml"
NAMES = ("Harbour fever", "Dock rash", "Rope burn", "Keel pox")


def pubtator(folder, documents=24):
    """Annotated abstracts in which a disease has two names, one of them shared by two diseases."""
    records = []
    for number in range(documents):
        name = NAMES[number // 2 % len(NAMES)]
        id = f"D00{NAMES.index(name) + 1:04}" if number % 16 < 12 else "D009999"
        title = f"{name} in sailors."
        lines = [
            f"{number + 1}|t|{title}",
            f"{number + 1}|a|We saw {name} again.",
            f"{number + 1}\t0\t{len(name)}\t{name}\tDisease\t{id}",
            f"{number + 1}\t{len(title) + 8}\t{len(title) + 8 + len(name)}\t{name}\tDisease\t{id}",
        ]
        records.append("\n".join(lines))
    path = folder / "annotated.pubtator"
    path.write_text("\n\n".join(records) + "\n")
    return path


@pytest.fixture(scope="module")
def wiki_graph(checkpoint, tmp_path_factory):
    """A graph of pages whose links state what their entities are."""
    out = tmp_path_factory.mktemp("wiki") / "graph"
    arguments = ["build", str(ENCYCLOPEDIA), "--out", str(out), "--model", str(checkpoint), "--runner", "memory"]
    result = CliRunner().invoke(main, [*arguments, "--debug"])
    assert result.exit_code == 0, result.output
    return out


def run(*arguments):
    return CliRunner().invoke(main, ["fit", *map(str, arguments)])


def test_linking_is_fitted_to_annotated_documents(tmp_path):
    result = run("linking", pubtator(tmp_path), "--out", tmp_path / "linking.json")
    assert result.exit_code == 0, result.output
    assert "weights of vocabularies, fitted to 24 hidden targets" in result.output
    weights = json.loads((tmp_path / "linking.json").read_text())
    assert set(weights["terms"]) == {*LINKING_FEATURES, "prior", "heading"}
    assert weights["terms"]["commonness"] > 0


def test_resolution_is_fitted_to_a_graph_and_no_weight_has_the_wrong_sign(wiki_graph, tmp_path):
    result = run("resolution", wiki_graph, "--annotated", pubtator(tmp_path), "--out", tmp_path / "resolution.json")
    assert result.exit_code == 0, result.output
    model = json.loads((tmp_path / "resolution.json").read_text())
    assert all(weight <= 0 if name in AGAINST else weight >= 0 for name, weight in model["weights"].items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["linking", "{notes}", "--out", "x.json"], "has neither links nor annotated entities"),
        (["linking", "{folder}", "--out", "x.json"], "is no file"),
        (["resolution", "{notes}", "--out", "x.json"], "is no folder"),
        (["linking", "{notes}", "--annotated", "{notes}", "--out", "x.json"], "--annotated goes with 'resolution'"),
    ],
)
def test_what_cannot_be_fitted_to_is_named(arguments, message, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("The harbour is closed in winter.")
    result = run(*(text.format(notes=notes, folder=tmp_path) for text in arguments))
    assert result.exit_code == 2
    assert message in result.output
