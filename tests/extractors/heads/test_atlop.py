"""The grouped bilinear form beside its definition."""

import pytest
import torch

from extractors.heads import atlop
from extractors.heads.atlop import GroupedBilinear


def by_definition(form: GroupedBilinear, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """z_s^T W_r z_o, block by block on the diagonal of W_r."""
    block = form.block
    scores = form.linear.bias.repeat(len(first), 1)
    for group in range(first.shape[1] // block):
        part = slice(group * block, (group + 1) * block)
        weight = form.linear.weight[:, group * block**2 : (group + 1) * block**2].view(-1, block, block)
        scores = scores + torch.einsum("ni,rij,nj->nr", first[:, part], weight, second[:, part])
    return scores


@pytest.mark.parametrize("pairs", [0, 1, 5, 7, 20])
@pytest.mark.parametrize(("width", "classes"), [(8, 3), (128, 64), (256, 97)])
def test_scores_and_gradients_are_those_of_the_definition(pairs, width, classes, monkeypatch):
    monkeypatch.setattr(atlop, "ROWS", 7)
    monkeypatch.setattr(atlop, "PRODUCTS", 2 * 64**2)  # two groups at once
    torch.manual_seed(0)
    form = GroupedBilinear(width, classes).double()
    gradients = []
    for scores_of in (form, lambda first, second: by_definition(form, first, second)):
        generator = torch.Generator().manual_seed(1)
        vectors = [
            torch.randn(pairs, width, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)
        ]
        form.zero_grad()
        scores = scores_of(*vectors)
        assert scores.shape == (pairs, classes)
        scores.square().sum().backward()
        gradients.append([scores, *(leaf.grad for leaf in (*vectors, form.linear.weight, form.linear.bias))])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("pairs", [24, 32, 288])
@pytest.mark.parametrize("width", [768, 1024])
def test_wide_encoders_do_not_meet_the_products_that_end_the_process(pairs, width):
    torch.manual_seed(0)
    form = GroupedBilinear(width, 97).bfloat16()
    first, second = (torch.randn(pairs, width).bfloat16() for _ in range(2))
    with torch.inference_mode():
        found, expected = form(first, second), by_definition(form.double(), first.double(), second.double())
    torch.testing.assert_close(found.double(), expected, atol=0.02 * float(expected.abs().max()), rtol=0)


def test_a_width_between_blocks_is_refused():
    with pytest.raises(ValueError, match="no multiple of 64"):
        GroupedBilinear(100, 3)
