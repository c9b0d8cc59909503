"""What a checkpoint is made of: the part of `config.json` that factmill reads."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import msgspec
from transformers import AutoConfig, PretrainedConfig

from schemas import Record, RelationSchema, parse_relation_schema


class Architecture(Record, frozen=True, kw_only=True):
    """What a recipe chooses about a network and its checkpoint remembers.

    Attributes:
        encoder: `transformer`, or `static` for frozen vectors of the backbone's word pieces: these have no attention
            and are not told about entities.
        head: relation head, a key of `extractors.heads.HEADS`.
        head_options: choices of the head, as its `Options` has them.
        loss: relation loss, a key of `extractors.heads.losses.LOSSES`; it decides whether there is a threshold class.
        joint: whether it finds mentions, clusters and types itself; otherwise it needs documents with given entities.
        markers: whether a `*` stands around each given mention (only if not joint).
        entity_embeddings: whether the encoder is told type and order of given entities (only if not joint).
        averaged_layers: how many of the encoder's last layers are averaged.
        longest_mention: longest predicted mention in words (L in section 3.1 a).
        dropout: rate on pooled vectors and inner layers.
    """

    head: str
    encoder: Literal["transformer", "static"] = "transformer"
    head_options: dict[str, Any] = msgspec.field(default_factory=dict)
    loss: str = "bce"
    joint: bool = True
    markers: bool = False
    entity_embeddings: bool = False
    averaged_layers: int = 1
    longest_mention: int = 10
    dropout: float = 0.1


class ModelConfig(Architecture, frozen=True, dict=True, kw_only=True, gc=True):
    """All that makes the network of a checkpoint.

    Attributes:
        relations: YAML text of the relation schema, so that a checkpoint stands alone.
        backbone: configuration of the encoder in the Hugging Face form.
        special_ids: ids of the tokens before and after each window.
        marker_id: id of `*`.
        window: pieces the encoder reads at once, special tokens included.
        meta_width: width of the embeddings of sizes, distances and types (section 4).
        whole_pieces: longest document in word pieces that is read at once.
        passage_pieces: longest passage of longer documents; what is found in passages is joined by name.
    """

    relations: str
    backbone: dict[str, Any]
    special_ids: tuple[int, int]
    marker_id: int = 0
    window: int = 512
    meta_width: int = 25
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
