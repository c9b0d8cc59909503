"""The Python examples run as they are, each in a folder of its own, and print what they are about."""

import importlib.util
import json
import shutil
from pathlib import Path

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from tests.runners.conftest import save_tiny

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ROOT = EXAMPLES.parent


def load(name: str):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def test_every_example_is_listed_and_tested():
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    files = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    assert files == {"extract_from_text.py", "build_and_query.py", "own_relation_schema.py", "notebook.ipynb"}
    assert [name for name in files if f"`{name}`" not in listed] == []


def test_extract_from_text(capsys):
    example = load("extract_from_text")
    example.main(example.TEXTS)
    printed = capsys.readouterr().out
    assert "Marie Curie (PER), characters 0 to 11" in printed
    assert "Marie Curie -- place of birth -> Warsaw" in printed


def test_build_and_query(folder, capsys):
    (folder / "curie.txt").write_text("Marie Curie was born in Warsaw.")
    (folder / "lovelace.txt").write_text("Ada Lovelace was born in London.")
    load("build_and_query").main(["curie.txt", "lovelace.txt"], "people")
    printed = capsys.readouterr().out
    assert "Graph('people': 4 nodes, 2 edges, 2 documents)" in printed
    assert "     2  PLACE_OF_BIRTH" in printed
    assert "  Ada Lovelace, London\n" in printed
    assert "Ada Lovelace was born in London.\n" in printed


def test_own_relation_schema(folder, capfd):
    """With an encoder of random weights, as small as they come."""
    tiny = save_tiny(folder / "tiny")
    torch.manual_seed(1)
    BertModel(BertConfig.from_dict(json.loads((tiny / "config.json").read_text())["backbone"])).save_pretrained(
        "encoder"
    )
    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tiny / "tokenizer.json"), **special)
    tokenizer.save_pretrained("encoder")
    load("own_relation_schema").main(folder / "shipping", "encoder")
    printed = capfd.readouterr().out
    assert "shipping: home port, calls at" in printed
    assert "2 entity types and 2 relations of the schema 'shipping'" in printed


def test_the_notebook_runs_and_draws(folder):
    shutil.copy(EXAMPLES / "notebook.ipynb", folder)
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = [output.text for output in outputs if output.output_type == "stream"]
    assert [text for text in printed if "tqdm" not in text] == [], "tqdm alone asks for a package of its own"
    drawn = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert len(drawn) == 5
    assert "<mark" in drawn[0]
