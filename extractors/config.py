"""What a checkpoint is made of: the part of `config.json` that factmill reads."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from transformers import AutoConfig, PretrainedConfig

from schemas import Record, RelationSchema, parse_relation_schema


class ModelConfig(Record, frozen=True, dict=True):
    """Architecture of a joint extractor.

    Attributes:
        head: relation head, a key of `extractors.heads.HEADS`.
        relations: YAML text of the relation schema, so that a checkpoint stands alone.
        backbone: configuration of the encoder in the Hugging Face form.
        special_ids: ids of the tokens before and after each window.
        window: pieces the encoder reads at once, special tokens included.
        longest_mention: longest predicted mention in words (L in section 3.1 a).
        meta_width: width of the embeddings of sizes, distances and types (section 4).
        dropout: rate on pooled vectors and inner layers.
        whole_pieces: longest document in word pieces that is read at once.
        passage_pieces: longest passage of longer documents; what is found in passages is joined by name.
    """

    head: str
    relations: str
    backbone: dict[str, Any]
    special_ids: tuple[int, int]
    window: int = 512
    longest_mention: int = 10
    meta_width: int = 25
    dropout: float = 0.1
    whole_pieces: int = 1024
    passage_pieces: int = 382

    @cached_property
    def schema(self) -> RelationSchema:
        """The relation schema."""
        return parse_relation_schema(self.relations, "the checkpoint's relation schema")

    def backbone_config(self) -> PretrainedConfig:
        """Return the encoder's configuration."""
        values = dict(self.backbone)
        return AutoConfig.for_model(values.pop("model_type"), **values)
