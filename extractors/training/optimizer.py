"""The optimizer of a training stage: which parameters learn, and at which rates."""

from __future__ import annotations

from torch.nn import Parameter
from torch.optim import AdamW

from extractors.network.network import Network, Part
from extractors.recipes.recipe import Stage


def make_optimizer(model: Network, stage: Stage) -> AdamW:
    """Return the optimizer of a stage; frozen parameters get no gradients until another stage thaws them.

    Raises:
        ValueError: the stage freezes what the network does not have, or all of it.
    """
    parameters = dict(model.named_parameters())
    for prefix in stage.frozen:
        if not any(_inside(name, prefix) for name in parameters):
            raise ValueError(f"a stage freezes '{prefix}', which the network does not have: check 'frozen'")
    rates: dict[Part, float] = {
        "encoder": stage.encoder_rate,
        "base": stage.head_rate if stage.base_rate is None else stage.base_rate,
        "rest": stage.head_rate,
    }
    moved: dict[float, list[Parameter]] = {}
    for name, parameter in parameters.items():
        parameter.requires_grad_(not any(_inside(name, prefix) for prefix in stage.frozen))
        if parameter.requires_grad:
            moved.setdefault(rates[model.part_of(name)], []).append(parameter)
    if not moved:
        raise ValueError("a stage freezes the whole network: nothing is left to train")
    return AdamW([{"params": group, "lr": rate} for rate, group in moved.items()], fused=True)


def _inside(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")
