"""Checkpoints: folders in the Hugging Face convention. Everything but the weights is read without torch."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Tokenizer

from extractors.checkpoints.registered import registered_checkpoint, registered_names
from extractors.inference.confidence import Calibration
from extractors.network.config import ModelConfig
from extractors.network.former_names import current_calibration, current_names

CHECKPOINTS = Path(__file__).parent
FILES = ("config.json", "model.safetensors", "tokenizer.json", "relations.json", "calibration.json")
# What people read about a checkpoint; it works without.
CARD = "README.md"
# The hash of the weights as `sha256sum` writes and checks it. A checkpoint without it is taken as it is.
CHECKSUM = "model.safetensors.sha256"
# Suffix of the names of the scales of quantized weights.
SCALE = ".row_scale"
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


def sha256(path: Path) -> str:
    """Return the hash of a file as `sha256sum` writes it."""
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
        return msgspec.convert(current_calibration(_read_json(folder / "calibration.json")), Calibration)
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


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write a file of a checkpoint."""
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
