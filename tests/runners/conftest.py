"""A checkpoint with random weights that loads in a moment, a graph built with it, and a Flink cluster."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertConfig

from extractors.checkpoints.weights import save_checkpoint
from extractors.inference.confidence import Calibration
from extractors.network.config import ModelConfig
from extractors.network.network import Network
from extractors.training.trainer import load_relation_schema_text
from runners.cli.main import main
from tests.runners.flink import cluster_with_job_server

TEXTS = {
    "ada.txt": "Ada Lovelace was born in London. She met Charles Babbage there. Babbage lived in England.",
    "alan.txt": "Alan Turing studied at Princeton. He worked at Bletchley Park in England.",
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A folder with a checkpoint that finds something in any text, for the relations of CDR."""
    return save_tiny(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture(scope="session")
def relation_only(tmp_path_factory) -> Path:
    """A folder with a checkpoint that only relates given entities."""
    return save_tiny(tmp_path_factory.mktemp("checkpoint") / "relating", joint=False, entity_embeddings=True)


def save_tiny(folder: Path, **changes: object) -> Path:
    torch.set_num_threads(1)  # more of them wait for each other longer than such a small network computes
    torch.manual_seed(3)
    letters = [chr(code) for code in range(33, 127)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    backbone = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    values = {
        "head": "jerex-grc",
        "relations": load_relation_schema_text("cdr"),
        "backbone": {**backbone.to_diff_dict(), "model_type": "bert"},
        "special_ids": (2, 3),
        "window": 128,
        "longest_mention": 3,
    }
    config = ModelConfig(**{**values, **changes})
    model = Network(config)
    low = Calibration(mention_threshold=0.4, coreference_threshold=0.99, relation_threshold=0.0, selected_on="nothing")
    save_checkpoint(folder, model, tokenizer, low, "# A checkpoint for tests\n")
    return folder


@pytest.fixture(scope="session")
def texts(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="session")
def built(checkpoint, texts, tmp_path_factory):
    """The output folder of `factmill build`, and what the command printed."""
    out = tmp_path_factory.mktemp("built") / "graph"
    result = CliRunner().invoke(main, ["build", str(texts), "--out", str(out), "--model", str(checkpoint), "--debug"])
    assert result.exit_code == 0, result.output
    return out, result


@pytest.fixture(scope="session")
def asked(built, tmp_path_factory):
    """A copy of the built graph for questions in SPARQL, which leave a store in the folder."""
    out = tmp_path_factory.mktemp("asked") / "graph"
    shutil.copytree(built[0], out)
    return out, built[1]


@pytest.fixture(scope="session")
def flink(tmp_path_factory):
    """A cluster whose Python workers find the modules of the tests, and a job server; one for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]), prepend=os.pathsep)
        with cluster_with_job_server(tmp_path_factory.mktemp("flink")) as both:
            yield both
