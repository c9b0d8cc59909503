"""Where pretrained encoders come from: a folder, an installed Python package that carries one, or a hub model."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast


def backbone_folder(name: str) -> str:
    """Return what `from_pretrained` takes for a backbone.

    A name of an installed package is resolved to the folder inside it that holds the weights, so that training needs
    no download; anything else is taken for a folder or a hub model that the user chose.
    """
    if Path(name).is_dir():
        return name
    try:
        entries = files(name) or []
    except PackageNotFoundError:
        return name
    for entry in entries:
        if entry.name in {"model.safetensors", "pytorch_model.bin"}:
            return str(Path(str(entry.locate())).parent)
    raise ValueError(f"the package '{name}' carries no encoder (no model.safetensors in it)")


def backbone_tokenizer(folder: str) -> tuple[Tokenizer, tuple[int, int]]:
    """Return the tokenizer of a backbone and the ids that it puts before and after a text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not isinstance(tokenizer, PreTrainedTokenizerFast) and not hasattr(tokenizer, "backend_tokenizer"):
        raise ValueError(f"the tokenizer of '{folder}' has no fast version: choose an encoder with tokenizer.json")
    first, second = tokenizer.cls_token_id, tokenizer.sep_token_id
    if first is None or second is None:
        raise ValueError(f"the tokenizer of '{folder}' has no [CLS] and [SEP] tokens: choose a BERT-like encoder")
    return tokenizer.backend_tokenizer, (int(first), int(second))
