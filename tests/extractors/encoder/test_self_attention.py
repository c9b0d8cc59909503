"""Self-attention by plain products, beside torch's fused kernel."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from extractors.encoder import self_attention
from extractors.encoder.self_attention import NAME, _attend_for_transformers, attend


def inputs(batch: int = 3, length: int = 64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(batch, 4, length, 16, generator=generator).bfloat16() for _ in range(3)]


def seen(batch: int = 3, length: int = 64) -> Tensor:
    """Keys before the end of each sequence, of which each is shorter than the one before."""
    ends = length - 5 * torch.arange(batch)
    return (torch.arange(length) < ends[:, None])[:, None, None, :].expand(-1, 1, length, -1)


@pytest.fixture(autouse=True, params=["products", "as this CPU"])
def kernel(request, monkeypatch):
    """Both ways, wherever the tests run."""
    if request.param == "products":
        monkeypatch.setattr(self_attention, "_has_amx", lambda: False)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("kinds", [(), ("boolean",), ("numbers",), ("numbers", "boolean")])
def test_equals_the_equation_in_double_precision(kinds, precision):
    query, key, value = (part.to(precision) for part in inputs())
    known = {"boolean": seen(), "numbers": torch.randn(1, 4, 64, 64).bfloat16()}
    scores = query.double() @ key.double().transpose(2, 3) / 4
    if "numbers" in kinds:
        scores = scores + known["numbers"].double()
    if "boolean" in kinds:
        scores = scores.masked_fill(~seen(), -torch.inf)
    expected = scores.softmax(3) @ value.double()
    # In bfloat16 scores are rounded to eight bits, and so are their weights.
    found = attend(query, key, value, *(known[kind] for kind in kinds))
    assert torch.allclose(found.double(), expected, atol=0.03 if precision == torch.bfloat16 else 1e-5)


def test_keys_that_are_not_seen_do_not_matter():
    query, key, value = inputs()
    before = attend(query, key, value, seen())
    hidden = ~seen()[:, :, :1].transpose(2, 3).expand_as(key)
    assert torch.equal(attend(query, key.masked_fill(hidden, 9.0), value.masked_fill(hidden, 9.0), seen()), before)


@pytest.mark.parametrize("length", [64, 192, 448])
def test_neighbours_in_the_batch_change_no_bit(length):
    query, key, value = inputs(length=length)
    together = attend(query, key, value, seen(length=length))
    for at in range(3):
        one = slice(at, at + 1)
        assert torch.equal(attend(query[one], key[one], value[one], seen(length=length)[one]), together[one])


def test_gradients_are_those_of_the_fused_kernel():
    found = []
    for function in (attend, functional.scaled_dot_product_attention):
        leaves = [part.requires_grad_() for part in inputs()]
        function(*leaves, seen()).square().sum().backward()
        found.append([leaf.grad for leaf in leaves])
    for one, other in zip(*found, strict=True):
        assert functional.cosine_similarity(one.flatten().float(), other.flatten().float(), dim=0) > 0.999


def test_transformers_finds_it_for_encoders_like_bert_only(monkeypatch):
    from transformers import BertConfig, BertModel

    calls = []
    monkeypatch.setattr(self_attention, "attend", lambda *a: calls.append(a[0].shape) or attend(*a))
    config = BertConfig(vocab_size=30, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    text, mask = torch.ones(2, 7, dtype=torch.long), torch.ones(2, 7)
    mask[1, 4:] = 0
    for decoder, attended in ((False, 2), (True, 0)):
        config.is_decoder = decoder
        states = []
        for name in (NAME, "sdpa"):
            torch.manual_seed(0)
            config._attn_implementation = name
            model = BertModel(config).bfloat16().eval()
            states.append(model(input_ids=text, attention_mask=mask).last_hidden_state[mask > 0].float())
        assert len(calls) == attended
        assert torch.allclose(*states, atol=0.05)
        calls.clear()


@pytest.mark.parametrize("scaling", [None, 0.25, 1.0])
def test_the_scaling_of_the_encoder_is_kept(scaling):
    query, key, value = inputs()
    module = torch.nn.Module()
    module.is_causal = False  # as encoders say
    found, _ = _attend_for_transformers(module, query, key, value, None, scaling=scaling)
    expected = functional.scaled_dot_product_attention(query, key, value, scale=scaling)
    assert torch.allclose(found.transpose(1, 2), expected, atol=0.03)
