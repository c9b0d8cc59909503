"""Weights of checkpoints, in safetensors only: check, load, average and save them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from extractors.checkpoints.checkpoint import (
    CARD,
    CHECKSUM,
    SCALE,
    CheckpointError,
    load_config,
    save_calibration,
    sha256,
    write_json,
)
from extractors.checkpoints.quantization import dequantized, quantized
from extractors.inference.confidence import Calibration
from extractors.network.network import Network

HEAD = "relation_head."


def check_weights(folder: Path) -> None:
    """Check that the weights are whole, fit the configuration and are those that were saved, without loading them.

    Raises:
        CheckpointError: they are missing, cut short, changed or of another architecture.
    """
    path = folder / "model.safetensors"
    with torch.device("meta"):
        expected = {name: list(tensor.shape) for name, tensor in Network(load_config(folder)).state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            stored = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete, copy it again") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path} is cut short or damaged ({error}): copy it again") from None
    found = {name: shape for name, shape in stored.items() if not name.endswith(SCALE)}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise CheckpointError(f"{path} does not fit config.json: '{wrong[0]}' and {len(wrong) - 1} more differ")
    if (folder / CHECKSUM).is_file() and (folder / CHECKSUM).read_text("utf-8").split()[:1] != [sha256(path)]:
        raise CheckpointError(
            f"{path} was changed after it was saved: its hash is not that of {CHECKSUM}; copy both again"
        )


def load_model(folder: Path) -> Network:
    """Build the network of a checkpoint and fill in its weights.

    Raises:
        CheckpointError: the weights are missing, cut short, changed or of another architecture.
    """
    check_weights(folder)
    model = Network(load_config(folder))
    model.load_state_dict(dequantized(load_file(folder / "model.safetensors")))
    return model


def load_start(model: Network, folders: Sequence[Path]) -> None:
    """Fill a network with the weights of checkpoints that it has under the same name and in the same shape.

    A weight is the mean over the checkpoints that have it: those of one descent average well (Wortsman et al. 2022,
    "Model soups", section 2). The relation head of a checkpoint becomes the base module of a head that has one, unless
    it has one too.

    Raises:
        CheckpointError: nothing of a checkpoint fits.
    """
    own = model.state_dict()
    base_name = model.relation_head.base_name
    base = f"{HEAD}{base_name}." if base_name else ""
    found: defaultdict[str, list[Tensor]] = defaultdict(list)
    for folder in folders:
        weights = dequantized(load_file(folder / "model.safetensors"))
        if base and not any(name.startswith(base) for name in weights):
            weights = {base + name[len(HEAD) :] if name.startswith(HEAD) else name: w for name, w in weights.items()}
        fitting = {name: w.float() for name, w in weights.items() if name in own and own[name].shape == w.shape}
        if not any(name.startswith("encoder.backbone.") for name in fitting):
            raise CheckpointError(f"{folder}: the encoder of this checkpoint is not the recipe's: choose another start")
        for name, weight in fitting.items():
            found[name].append(weight)
    model.load_state_dict({name: torch.stack(same).mean(0) for name, same in found.items()}, strict=False)


def save_checkpoint(folder: Path, model: Network, tokenizer: Tokenizer, calibration: Calibration, card: str) -> None:
    """Write a checkpoint; see `extractors.checkpoints.quantization` for the form of its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = msgspec.to_builtins(model.config)
    relations = {"yaml": config.pop("relations")}
    write_json(folder / "config.json", {"architectures": ["Network"], **config})
    write_json(folder / "relations.json", relations)
    save_calibration(folder, calibration)
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file(quantized(model.state_dict()), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / CHECKSUM).write_text(f"{sha256(folder / 'model.safetensors')}  model.safetensors\n", "utf-8")
    (folder / CARD).write_text(card, "utf-8")
