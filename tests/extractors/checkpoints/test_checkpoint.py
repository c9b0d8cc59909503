import json

import pytest
import torch

from extractors import CheckpointError, fingerprint, load_extractor, shipped
from extractors.checkpoints.checkpoint import CHECKPOINTS, load_calibration
from extractors.checkpoints.weights import load_model, load_start, save_checkpoint
from extractors.inference.confidence import Calibration
from tests.extractors.tiny import model, save, tokenizer


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "tiny")


def test_weights_come_back_in_half_precision(folder):
    saved, loaded = model().state_dict(), load_model(folder).state_dict()
    assert saved.keys() == loaded.keys()
    assert all((saved[name].half().float() == loaded[name]).all() for name in saved)


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "relations.json", "calibration.json"]
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name if name != "config.json" else "no checkpoint"):
        load_extractor(str(folder))


@pytest.mark.parametrize("kept", [0, 7, 100, 5000])
def test_weights_cut_short_are_refused(folder, kept):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="cut short or damaged"):
        load_extractor(str(folder))


def test_another_architecture_is_refused(folder):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "head": "jerex-grc"}))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_extractor(str(folder))


def test_an_unknown_key_is_refused(folder):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "depth": 3}))
    with pytest.raises(CheckpointError, match="depth"):
        load_extractor(str(folder))


def test_a_checkpoint_with_a_former_name_of_its_head_is_readable(tmp_path):
    folder = save(tmp_path / "old", "typed-atlop")
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"typed-atlop"', '"joined"'))
    assert load_model(folder).config.head == "typed-atlop"


def test_the_fingerprint_changes_with_what_is_extracted(folder):
    before = fingerprint(folder)
    (folder / "README.md").write_text("another card")
    assert fingerprint(folder) == before
    path = folder / "calibration.json"
    path.write_text(path.read_text().replace('"relation_threshold": 0.01', '"relation_threshold": 0.02'))
    assert fingerprint(folder) != before


@pytest.mark.parametrize("name", shipped())
def test_shipped_checkpoints_are_small_and_state_their_figures(name):
    folder = CHECKPOINTS / name
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 50_000_000
    calibration = load_calibration(folder)
    assert calibration.selected_on
    assert len(calibration.figures) == 2
    card = (folder / "README.md").read_text()
    for figures in calibration.figures.values():
        assert f"| relation, clusters and types exact | {100 * figures['rel_nec_precision']:.1f} |" in card
        assert f"{100 * figures['rel_nec_f1_low']:.1f} to {100 * figures['rel_nec_f1_high']:.1f}" in card


def test_a_network_starts_from_the_mean_of_those_that_have_a_weight(tmp_path):
    folders = [tmp_path / "joint", tmp_path / "relating"]
    for seed, folder in enumerate(folders):
        network = model("atlop", joint=folder.name == "joint", seed=seed)
        save_checkpoint(folder, network, tokenizer(), Calibration(), "")
    both = model("atlop", joint=True, seed=3)
    load_start(both, folders)
    saved = [load_model(folder).state_dict() for folder in folders]
    shared = 0
    for name, tensor in both.state_dict().items():
        had = [weights[name] for weights in saved if name in weights]
        assert torch.allclose(tensor, sum(had) / len(had)), name
        shared += len(had) == 2
    assert 0 < shared < len(both.state_dict())


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(CheckpointError, match="no checkpoint 'nothing'"):
        load_extractor("nothing")


def test_a_relation_head_starts_as_the_base_module_of_another(tmp_path):
    options = {"width": 8, "base_options": {"classifier": "bilinear"}}
    start = model("atlop", seed=1, loss="adaptive-threshold")
    save_checkpoint(tmp_path, start, tokenizer(), Calibration(), "")
    network = model("docre-ii", seed=2, loss="adaptive-threshold", head_options=options)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    load_start(network, [tmp_path])
    saved = {name: tensor.half().float() for name, tensor in start.relation_head.state_dict().items()}
    assert saved
    for name, tensor in network.relation_head.state_dict().items():
        inner = name.removeprefix("base.")
        expected = saved[inner] if name.startswith("base.") else before[f"relation_head.{name}"]
        assert torch.equal(tensor, expected), name
    # A head that has a base module itself keeps its names.
    save_checkpoint(tmp_path / "two", network, tokenizer(), Calibration(), "")
    other = model("docre-ii", seed=3, loss="adaptive-threshold", head_options=options)
    load_start(other, [tmp_path / "two"])
    assert torch.equal(other.relation_head.classifier.bias, network.relation_head.classifier.bias.half().float())
