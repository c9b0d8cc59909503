"""Checkpoints: folders in the Hugging Face convention, read from safetensors only."""

from __future__ import annotations

import hashlib
import json
import re
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

from extractors.checkpoints.quantization import SCALE, pack, unpack
from extractors.checkpoints.registered import registered_checkpoint, registered_names
from extractors.inference.confidence import Calibration
from extractors.network.config import ModelConfig
from extractors.network.former_names import current_names
from extractors.network.network import Network

CHECKPOINTS = Path(__file__).parent
FILES = ("config.json", "model.safetensors", "tokenizer.json", "relations.json", "calibration.json")
# What people read about a checkpoint; it works without.
CARD = "README.md"
# The hash of the weights as `sha256sum` writes and checks it. A checkpoint without it is taken as it is.
CHECKSUM = "model.safetensors.sha256"
HEAD = "relation_head."
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class CheckpointError(ValueError):
    """A checkpoint is missing, cut short or does not fit; the message names the file and the remedy."""


def shipped() -> list[str]:
    """Return the names of the checkpoints that come with factmill."""
    return sorted(folder.parent.name for folder in CHECKPOINTS.glob("*/config.json"))


def find_checkpoint(name: str) -> Path:
    """Return the folder of a checkpoint, which has a name, or is a folder or a model on the Hugging Face hub.

    A name is that of a shipped checkpoint or of one that an installed distribution registers. A hub model
    (`owner/name`) is downloaded once; a folder of that name goes before it.

    Raises:
        CheckpointError: there is none of them.
        PluginError: the checkpoint of a distribution cannot be used.
    """
    for folder in (registered_checkpoint(name, shipped()), CHECKPOINTS / name, Path(name)):
        if folder is not None and (folder / "config.json").is_file():
            return folder
    if _HUB_ID.fullmatch(name) and not Path(name).exists():
        return _downloaded(name)
    known = ", ".join([*shipped(), *registered_names()]) or "none"
    raise CheckpointError(
        f"no checkpoint '{name}': use a folder with config.json, the id of a hub model (owner/name), or one of: {known}"
    )


def _downloaded(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=[*FILES, CHECKSUM, CARD]))
    except Exception as error:  # whatever keeps the hub from answering, the remedy is the same
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(
            f"'{hub_id}' is no folder, and the hub does not give it ({reason}): check the name and the connection"
        ) from None
    if not (folder / "relations.json").is_file():
        raise CheckpointError(f"the hub model '{hub_id}' is no factmill checkpoint: it has no relations.json")
    return folder


def fingerprint(folder: Path) -> str:
    """Return a hash of everything in a checkpoint that changes what it extracts."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(name.encode())
        _add(digest, folder / name)
    return digest.hexdigest()[:32]


def _add(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    _add(digest, path)
    return digest.hexdigest()


def load_config(folder: Path) -> ModelConfig:
    """Read `config.json` and `relations.json`.

    Raises:
        CheckpointError: a file is missing or not of this form.
    """
    data = {**_read_json(folder / "config.json"), "relations": _read_json(folder / "relations.json")["yaml"]}
    data.pop("architectures", None)
    try:
        return msgspec.convert(current_names(data), ModelConfig)
    except ValueError as error:  # msgspec's too
        raise CheckpointError(f"{folder / 'config.json'}: {error}; it was made by another version or edited") from None


def load_calibration(folder: Path) -> Calibration:
    """Read `calibration.json`."""
    try:
        return msgspec.convert(_read_json(folder / "calibration.json"), Calibration)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{folder / 'calibration.json'}: {error}") from None


def save_calibration(folder: Path, calibration: Calibration) -> None:
    """Write `calibration.json`, whole or not at all."""
    text = json.dumps(msgspec.to_builtins(calibration), indent=2, ensure_ascii=False)
    # Lists of numbers go on one line each.
    text = re.sub(r"\[[^\[\]{}]*\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text)
    part = folder / "calibration.json.part"
    part.write_text(text + "\n", "utf-8")
    part.replace(folder / "calibration.json")


def load_tokenizer(folder: Path) -> Tokenizer:
    """Read `tokenizer.json`."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete, copy it again")
    return Tokenizer.from_file(str(path))


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
    if (folder / CHECKSUM).is_file() and (folder / CHECKSUM).read_text("utf-8").split()[:1] != [_sha256(path)]:
        raise CheckpointError(f"{path} was changed since it was saved, as {CHECKSUM} tells: copy both again")


def load_model(folder: Path) -> Network:
    """Build the network of a checkpoint and fill in its weights.

    Raises:
        CheckpointError: the weights are missing, cut short, changed or of another architecture.
    """
    check_weights(folder)
    model = Network(load_config(folder))
    model.load_state_dict(unpack(load_file(folder / "model.safetensors")))
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
        weights = unpack(load_file(folder / "model.safetensors"))
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
    _write_json(folder / "config.json", {"architectures": ["Network"], **config})
    _write_json(folder / "relations.json", relations)
    save_calibration(folder, calibration)
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file(pack(model.state_dict()), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / CHECKSUM).write_text(f"{_sha256(folder / 'model.safetensors')}  model.safetensors\n", "utf-8")
    (folder / CARD).write_text(card, "utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete, copy it again") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not valid JSON ({error}): copy it again") from None
    if not isinstance(data, dict):
        raise CheckpointError(f"{path} holds no JSON object: copy it again")
    return data


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
