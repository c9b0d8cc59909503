"""Which parameters a stage of training moves, and how fast."""

from __future__ import annotations

from torch.nn import Parameter
from torch.optim import AdamW

from extractors.heads.docre_ii import IterativeInference
from extractors.network.network import Network
from extractors.training.recipe import Stage

BASE = "relation_head.base"


def make_optimizer(model: Network, stage: Stage) -> AdamW:
    """Return the optimizer of a stage; frozen parameters get no gradients until another stage thaws them.

    Raises:
        ValueError: the stage freezes what the network does not have, or all of it.
    """
    parameters = dict(model.named_parameters())
    for prefix in stage.frozen:
        if not any(_inside(name, prefix) for name in parameters):
            raise ValueError(f"a stage freezes '{prefix}', which the network does not have: check 'frozen'")
    moved: dict[float, list[Parameter]] = {}
    for name, parameter in parameters.items():
        parameter.requires_grad_(not any(_inside(name, prefix) for prefix in stage.frozen))
        if parameter.requires_grad:
            moved.setdefault(_rate(name, stage), []).append(parameter)
    if not moved:
        raise ValueError("a stage freezes the whole network: nothing is left to train")
    return AdamW([{"params": group, "lr": rate} for rate, group in moved.items()], fused=True)


def choose_modules(model: Network, stage: Stage) -> None:
    """Train the base module alone, or the whole relation head.

    Raises:
        ValueError: the stage trains a base module and the head has none.
    """
    head = model.relation_head
    if isinstance(head, IterativeInference):
        head.base_only = stage.base_only
    elif stage.base_only:
        raise ValueError(f"the head '{model.config.head}' has no base module: leave out 'base_only'")


def _inside(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def _rate(name: str, stage: Stage) -> float:
    if _inside(name, "encoder"):
        return stage.encoder_rate
    if _inside(name, BASE) and stage.base_rate is not None:
        return stage.base_rate
    return stage.head_rate
