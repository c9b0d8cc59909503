"""The head that docs/how-to/add-a-head.md shows keeps the rules of every head, and learns."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from extractors.encoder.featurizer import Featurizer
from extractors.heads import RelationHead, head_class, head_names
from extractors.heads.losses import LOSSES
from extractors.network.examples import make_example
from extractors.recipes.recipe import Objective
from extractors.training.objective import draw_batch, joint_loss
from schemas.plugins import PluginError
from tests.extractors.heads import references
from tests.extractors.heads import test_every_head as every_head
from tests.extractors.tiny import annotated, model, tokenizer
from tests.pages import blocks, entry_points
from tests.plugins import install, use
from tests.runners.conftest import save_tiny

PAGE = "how-to/add-a-head.md"
HEAD, REFERENCE = blocks(PAGE)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def package(tmp_path_factory, monkeypatch):
    """A distribution of a user that registers the head of the page; the folder that it is installed to."""
    site = tmp_path_factory.mktemp("site")
    install(site, "my-package", {"my_package/__init__.py": "", "my_package/product.py": HEAD}, entry_points(PAGE))
    use(site, monkeypatch)
    return site


@pytest.fixture
def network(package, monkeypatch):
    """A tiny extractor with the head of the page."""
    names = {"torch": torch}
    exec(REFERENCE, names)
    monkeypatch.setitem(references.REFERENCES, "product", names["product"])
    loss = head_class("product").published_loss
    return model("product", head_options={"width": 16}, joint=False, loss=loss).eval()


def test_the_page_shows_a_whole_head_of_few_lines(network):
    assert isinstance(network.relation_head, RelationHead)
    assert network.relation_head.published_loss in LOSSES
    code = [line for line in HEAD.splitlines() if line.strip()]
    assert len(code) <= 40


@pytest.mark.parametrize("clusters", every_head.CLUSTERS)
def test_it_equals_its_reference(network, clusters):
    every_head.test_equals_the_loop_by_loop_reference(network, clusters)


@pytest.mark.parametrize(
    "rule",
    [
        every_head.test_long_documents,
        every_head.test_batching_and_document_order_change_nothing,
        every_head.test_permuting_the_entities_permutes_the_scores,
        every_head.test_gradients_reach_every_parameter,
    ],
    ids=lambda rule: rule.__name__.removeprefix("test_"),
)
def test_it_keeps_the_rules_of_every_head(network, rule):
    rule(network)


def test_it_can_be_trained(network):
    example = make_example(network, Featurizer(tokenizer()).featurize(annotated()))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(3):
        loss = joint_loss(
            network.train(), draw_batch(network, [example], Objective(), np.random.default_rng(1)), Objective()
        )["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


def test_checkpoints_with_the_head_load_where_its_package_is_installed(package, tmp_path):
    checkpoint = save_tiny(tmp_path / "checkpoint", head="product", loss=head_class("product").published_loss)
    program = f"import factmill; print(factmill.load({str(checkpoint)!r})('Ada was born in London.'))"

    def run(*path: Path) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
        return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)

    done = run(package, ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Result(")
    assert "no relation head 'product': choose one of atlop" in run(ROOT).stderr


def test_names_are_listed_without_an_import(package):
    assert "product" in head_names()
    assert "my_package.product" not in sys.modules


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("mine", "absent:Head", r"the relation head 'mine' of 'bad-heads 1\.0' \(absent:Head\) cannot be imported"),
        ("mine", "bad_heads:Head", r"'bad-heads 1\.0' is the class Head: it must be a class derived from"),
        ("atlop", "bad_heads:Head", r"'bad-heads 1\.0' registers the relation head 'atlop', and factmill has one"),
    ],
)
def test_a_head_that_cannot_be_used_names_its_distribution(tmp_path, monkeypatch, name, value, message):
    install(tmp_path, "bad-heads", {"bad_heads.py": "class Head: ...\n"}, {"factmill.heads": {name: value}})
    use(tmp_path, monkeypatch)
    with pytest.raises(PluginError, match=message):
        head_class(name)
