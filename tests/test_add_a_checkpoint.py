"""The checkpoints and the schema that docs/how-to/add-a-checkpoint.md shows work from a package of a user."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest

import factmill
from extractors.checkpoints.checkpoint import FILES, find_checkpoint
from schemas.plugins import PluginError
from tests.pages import blocks, entry_points
from tests.plugins import install, use
from tests.runners.conftest import save_tiny

PAGE = "how-to/add-a-checkpoint.md"
LOAD, DOWNLOAD, RELATIONS = blocks(PAGE)
ROOT = Path(__file__).resolve().parent.parent
TEXT = "Ada Lovelace was born in London."


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture
def package(tmp_path, tiny, monkeypatch):
    """A distribution of a user with everything that the page shows; the folder that it is installed to."""
    site = tmp_path / "site"
    files = {"my_package/__init__.py": "", "my_package/download.py": DOWNLOAD, "my_package/relations.py": RELATIONS}
    install(site, "my-package", files, entry_points(PAGE))
    for name in FILES:
        shutil.copy(tiny / name, site / "my_package")
    use(site, monkeypatch)
    return site


def test_files_of_a_package(package, tiny):
    names = {}
    exec(LOAD, names)
    model = names["model"]
    assert model.name == "contracts-minilm"
    assert find_checkpoint("contracts-minilm") == package / "my_package"
    assert model(TEXT) == factmill.load(tiny)(TEXT)


def test_a_checkpoint_from_elsewhere(package, tiny, monkeypatch):
    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **more: asked.append((a, more)) or str(tiny))
    assert factmill.load("contracts-large")(TEXT) == factmill.load(tiny)(TEXT)
    assert asked[0] == (("our-company/contracts-large",), {"revision": "v2"})


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_commands_and_workers_know_the_name(package, tmp_path, runner):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    (tmp_path / "note.txt").write_text(TEXT)
    arguments = ["build", "note.txt", "--out", "graph", "--model", "contracts-minilm", "--runner", runner]
    done = subprocess.run(
        [sys.executable, "-m", "runners.cli.main", *arguments, "--workers", "1", "--schema", "cdr"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert factmill.open(tmp_path / "graph").table("documents").num_rows == 1


def test_a_relation_schema(package):
    schema = factmill.load_relation_schema("contracts")
    assert [relation.id for relation in schema.relations] == ["sells", "sold-by", "based-in"]
    with pytest.raises(factmill.SchemaError, match="use one of cdr, docred, gda, contracts, or the path"):
        factmill.load_relation_schema("absent")


def test_a_name_that_nobody_registers_lists_all(package):
    with pytest.raises(factmill.CheckpointError, match=r"one of: .*docred-minilm.*contracts-large, contracts-minilm"):
        find_checkpoint("absent")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("mine", "absent", r"the checkpoint 'mine' of 'bad-checkpoints 1\.0' \(absent\) cannot be imported"),
        ("mine", "bad_checkpoints", "is a module: it must be a module in the folder of a checkpoint"),
        ("mine", "bad_checkpoints:NUMBER", r"'bad-checkpoints 1\.0' is a int: it must be"),
        ("docred-minilm", "bad_checkpoints", "registers the checkpoint 'docred-minilm', and factmill has one"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_names_its_distribution(tmp_path, monkeypatch, name, value, message):
    install(
        tmp_path, "bad-checkpoints", {"bad_checkpoints.py": "NUMBER = 7\n"}, {"factmill.checkpoints": {name: value}}
    )
    use(tmp_path, monkeypatch)
    with pytest.raises(PluginError, match=message):
        factmill.load(name)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("bad_schemas:NUMBER", "must be the Path of a YAML file, or its text"),
        ("bad_schemas:ABSENT", "must be the Path of a YAML file"),
        ("bad_schemas:WRONG", "mine, line 1: the key 'relations' is missing"),
    ],
)
def test_a_schema_that_cannot_be_used(tmp_path, monkeypatch, value, message):
    source = (
        "from pathlib import Path\nNUMBER = 7\nABSENT = Path('absent.yaml')\nWRONG = 'name: x\\nentity_types: [A]\\n'\n"
    )
    install(tmp_path, "bad-schemas", {"bad_schemas.py": source}, {"factmill.schemas": {"mine": value}})
    use(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match=message):
        factmill.load_relation_schema("mine")
