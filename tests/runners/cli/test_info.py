import json

from click.testing import CliRunner

from extractors import shipped
from runners.cli.main import main
from tests.runners.conftest import save_tiny


def info(*args):
    return CliRunner().invoke(main, ["info", *map(str, args)])


def test_without_a_name_the_shipped_extractors_are_listed():
    result = info("--json")
    assert result.exit_code == 0
    listed = json.loads(result.stdout)["extractors"]
    assert list(listed) == shipped() if shipped() else "factmill train" in listed


def test_a_checkpoint_is_explained(checkpoint):
    facts = json.loads(info(checkpoint, "--json").stdout)
    assert facts["entity types"] == "Chemical, Disease"
    assert facts["relations"] == {"CID": "induces disease"}
    assert facts["encoder"] == "bert, 1 layers of width 32"
    assert facts["entities"].startswith("joint")
    assert (facts["loss"], facts["head options"]) == ("bce", {})
    assert facts["parameters"] == "0.0 million"
    assert facts["calibration"]["mention threshold"] == 0.4
    text = info(checkpoint).stdout
    assert "relation head    jerex-grc" in text
    assert "  CID  induces disease" in text


def test_a_checkpoint_that_only_relates_says_so(tmp_path):
    options = {"local_context": False}
    folder = save_tiny(tmp_path / "mine", joint=False, entity_embeddings=True, head="jerex-mrc", head_options=options)
    facts = json.loads(info(folder, "--json").stdout)
    assert facts["entities"] == "relation-only: documents must have entities, marked by embeddings"
    assert facts["head options"] == {"global_entities": True, "local_context": False, "other_sentences": True}
    assert "mention threshold" not in facts["calibration"]


def test_a_graph_is_explained(built):
    out, _ = built
    facts = json.loads(info(out, "--json").stdout)
    assert facts["counts"]["rows"]["documents"] == 2
    assert facts["dead letters"] == []
    text = info(out).stdout
    assert "ada.txt" in text
    assert "fingerprint" in text


def test_parameters_of_the_default_extractor_are_counted():
    facts = json.loads(info("docred-minilm", "--json").stdout)
    assert 20 < float(facts["parameters"].split()[0]) < 30


def test_what_is_neither_is_a_mistake(tmp_path):
    result = info(tmp_path)
    assert result.exit_code == 2
    assert f"'{tmp_path}' is no graph (it has no run.json), and no checkpoint '{tmp_path}'" in result.stderr


def test_a_damaged_checkpoint_is_a_mistake(tmp_path):
    (tmp_path / "config.json").write_text("{")
    result = info(tmp_path)
    assert result.exit_code == 2
    assert "is not valid JSON" in result.stderr
