import pytest

from extractors.recipes.recipe import Stage, make_recipe
from extractors.training.optimizer import make_optimizer
from tests.extractors.tiny import model

TWO_RATES = Stage((), 1, encoder_rate=1e-5, head_rate=1e-4, base_rate=2e-5)


def rates(network, optimizer):
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {names[id(p)]: group["lr"] for group in optimizer.param_groups for p in group["params"]}


def test_encoder_base_module_and_inference_module_learn_at_their_own_rates():
    network = model("docre-ii", head_options={"width": 8})
    found = rates(network, make_optimizer(network, TWO_RATES))
    assert found.keys() == {name for name, _ in network.named_parameters()}
    for name, rate in found.items():
        if name.startswith("encoder."):
            assert rate == 1e-5, name
        elif name.startswith("relation_head.base."):
            assert rate == 2e-5, name
        else:
            assert rate == 1e-4, name


def test_without_a_rate_of_its_own_the_base_module_learns_like_the_head():
    network = model("docre-ii", head_options={"width": 8})
    found = rates(network, make_optimizer(network, Stage((), 1, encoder_rate=1e-5, head_rate=1e-4)))
    assert {rate for name, rate in found.items() if "base" in name} == {1e-4}


def test_frozen_parameters_are_left_out_until_the_next_stage():
    network = model("docre-ii", head_options={"width": 8})
    found = rates(network, make_optimizer(network, Stage((), 1, frozen=("encoder", "relation_head.base"))))
    assert all(name.startswith(("relation_head", "mention", "coref", "type", "span", "edit")) for name in found)
    assert not any(name.startswith("relation_head.base.") for name in found)
    assert "relation_head.classifier.weight" in found
    assert not any(p.requires_grad for p in network.encoder.parameters())
    make_optimizer(network, Stage((), 1))
    assert all(p.requires_grad for p in network.parameters())


def test_a_prefix_ends_at_a_dot_and_has_to_fit():
    with pytest.raises(ValueError, match="'enc'"):
        make_optimizer(model(), Stage((), 1, frozen=("enc",)))
    names = tuple(name for name, _ in model().named_parameters())
    with pytest.raises(ValueError, match="nothing is left"):
        make_optimizer(model(), Stage((), 1, frozen=names))


def test_only_heads_with_a_base_module_have_a_first_stage():
    network = model("docre-ii", head_options={"width": 8})
    network.relation_head.start_stage(base_only=True)
    assert network.relation_head.base_only
    network.relation_head.start_stage(base_only=False)
    assert not network.relation_head.base_only
    with pytest.raises(ValueError, match="has no base module"):
        model().relation_head.start_stage(base_only=True)


def test_a_recipe_does_not_end_with_the_base_module():
    values = {"backbone": "b", "relations": "docred", "head": "docre-ii", "selection": {"data": "a"}}
    stage = {"corpora": [], "epochs": 1, "base_only": True}
    with pytest.raises(ValueError, match="last stage"):
        make_recipe({**values, "report": {"data": "a"}, "stages": [stage]}, "here")
