"""The head that docs/how-to/add-a-head.md shows keeps the rules of every head, and learns."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from extractors.encoder.featurizer import Preparer
from extractors.heads import HEADS, RelationHead
from extractors.heads.losses import LOSSES
from extractors.network.examples import make_example
from extractors.recipes.recipe import Objective
from extractors.training.objective import draw_batch, joint_loss
from tests.extractors.heads import references
from tests.extractors.heads import test_every_head as every_head
from tests.extractors.tiny import annotated, model, tokenizer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "add-a-head.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)


@pytest.fixture
def network(monkeypatch):
    """A tiny extractor with the head of the page, registered for one test."""
    names = {"torch": torch, "__name__": "product"}
    for block in BLOCKS:
        exec(block, names)
    monkeypatch.setitem(HEADS, "product", names["Product"])
    monkeypatch.setitem(references.REFERENCES, "product", names["product"])
    return model("product", head_options={"width": 16}, joint=False, loss=names["Product"].published_loss).eval()


def test_the_page_shows_a_whole_head_of_few_lines(network):
    assert isinstance(network.relation_head, RelationHead)
    assert network.relation_head.published_loss in LOSSES
    code = [line for line in BLOCKS[0].splitlines() if line.strip()]
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
    example = make_example(network, Preparer(tokenizer()).prepare(annotated()))
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
