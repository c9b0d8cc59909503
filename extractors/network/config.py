"""The configuration of a network: the part of `config.json` that factmill reads."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from schemas import Record, RelationSchema, parse_relation_schema

if TYPE_CHECKING:
    from transformers import PretrainedConfig


class Architecture(Record, frozen=True, kw_only=True):
    """The choices of a recipe about a network, which its checkpoint keeps.

    Attributes:
        head: relation head, a key of `extractors.heads.HEADS`.
        head_options: choices of the head, as its `Options` has them.
        loss: relation loss, a key of `extractors.heads.losses.LOSSES`; it decides whether there is a threshold class.
        joint: whether it finds mentions, clusters and types itself; otherwise it needs documents with given entities.
        markers: whether a `*` is put before and after each given mention, as ATLOP and DocuNet do (not if joint).
        entity_embeddings: whether type and order of given entities are added to the encoder's input (not if joint).
        averaged_layers: how many of the encoder's last layers are averaged; DocRE-II's published code averages 3.
        longest_mention: longest predicted mention in words (L in section 3.1 a).
        languages: codes (ISO 639) of the languages that it is trained on.
        dropout: rate on pooled vectors and inner layers.
    """

    head: str
    head_options: dict[str, Any] = msgspec.field(default_factory=dict)
    loss: str = "bce"
    joint: bool = True
    markers: bool = False
    entity_embeddings: bool = False
    averaged_layers: int = 1
    longest_mention: int = 10
    languages: tuple[str, ...] = ("en",)
    dropout: float = 0.1


class ModelConfig(Architecture, frozen=True, dict=True, kw_only=True, gc=True):
    """The configuration of a network.

    Attributes:
        relations: YAML text of the relation schema, so that a checkpoint needs no other file.
        backbone: configuration of the encoder in the Hugging Face form.
        special_ids: ids of the tokens before and after each window.
        marker_id: id of `*`.
        window: pieces the encoder reads at once, special tokens included.
        meta_width: width of the embeddings of sizes, distances and types (section 4).
        whole_pieces: longest document in word pieces that is read at once.
        passage_pieces: longest passage of longer documents; entities of several passages are merged by name.
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
        from transformers import AutoConfig  # here, so that reading a configuration loads no torch

        values = dict(self.backbone)
        return AutoConfig.for_model(values.pop("model_type"), **values)
