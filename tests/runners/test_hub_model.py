"""A model of the hub goes where a shipped name or a folder goes; the download itself is not ours to test."""

import huggingface_hub
import pytest
from click.testing import CliRunner

from extractors import CheckpointError, find_checkpoint
from runners.cli.main import main


@pytest.fixture
def hub(monkeypatch):
    """A hub that holds what a test puts into the dictionary: folder or exception by model id."""
    held = {}

    def snapshot_download(hub_id, allow_patterns):
        assert "model.safetensors" in allow_patterns
        assert not any(pattern.endswith((".bin", ".pt", ".pkl", "*")) for pattern in allow_patterns)
        found = held.get(hub_id, ConnectionError("no such model\nRequest id 1"))
        if isinstance(found, Exception):
            raise found
        return str(found)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return held


def test_a_hub_model_is_taken(hub, checkpoint):
    hub["someone/tiny"] = checkpoint
    assert find_checkpoint("someone/tiny") == checkpoint
    assert CliRunner().invoke(main, ["info", "someone/tiny"]).exit_code == 0


def test_a_folder_of_that_name_goes_first(hub, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "someone").mkdir()
    (tmp_path / "someone" / "tiny").symlink_to(checkpoint)
    assert find_checkpoint("someone/tiny").samefile(checkpoint)


def test_a_model_that_is_no_checkpoint_is_refused(hub, tmp_path):
    hub["someone/other"] = tmp_path
    with pytest.raises(CheckpointError, match=r"is no factmill checkpoint: it has no relations\.json"):
        find_checkpoint("someone/other")


def test_a_hub_that_does_not_answer_is_told_in_one_line(hub):
    result = CliRunner().invoke(main, ["info", "someone/absent"])
    assert result.exit_code == 2
    assert "the hub does not give it (no such model): check the name and the connection" in result.stderr


@pytest.mark.parametrize("name", ["nope", "a/b/c", "../x", "/x/y", "-x/y", "https://x/y", "x/"])
def test_nothing_else_goes_to_the_hub(hub, name):
    hub[name] = AssertionError("asked the hub")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        find_checkpoint(name)
