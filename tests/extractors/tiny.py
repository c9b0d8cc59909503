"""A tiny joint extractor with random weights and self-written documents, for tests that need no training."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from extractors.checkpoints.weights import save_checkpoint
from extractors.encoder.device import Device
from extractors.encoder.featurizer import Featurizer
from extractors.inference.confidence import Calibration
from extractors.inference.extractor import Extractor
from extractors.network.config import ModelConfig
from extractors.network.network import Network
from schemas import Document, Entity, Fact, Mention

RELATIONS = """
name: tiny
entity_types: [PER, LOC]
relations:
  - {id: R1, label: born in, iri: "http://example.org/R1", types: [[PER, LOC]]}
  - {id: R2, label: near, iri: "http://example.org/R2"}
  - {id: R3, label: knows, iri: "http://example.org/R3"}
"""


def tokenizer() -> Tokenizer:
    """A word-piece tokenizer whose pieces are single letters and a few words."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,'-"
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *letters,
        *(f"##{letter}" for letter in letters),
        "the",
        "lives",
        "in",
    ]
    tok = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tok


def config(head: str = "jerex-mrc", **changes: object) -> ModelConfig:
    """A two-layer encoder of width 32 that reads 48 pieces at once."""
    values: dict[str, object] = {
        "head": head,
        "relations": RELATIONS,
        "backbone": {
            "model_type": "bert",
            "vocab_size": tokenizer().get_vocab_size(),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "max_position_embeddings": 128,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        },
        "special_ids": (2, 3),
        "window": 128,
        "longest_mention": 4,
        "meta_width": 5,
        "whole_pieces": 160,
        "passage_pieces": 100,
    }
    return ModelConfig(**{**values, **changes})  # type: ignore[arg-type]


def model(head: str = "jerex-mrc", seed: int = 0, **changes: object) -> Network:
    """The network with random weights, all of them away from zero."""
    torch.manual_seed(seed)
    network = Network(config(head, **changes))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def extractor(head: str = "jerex-mrc", precision: torch.dtype = torch.float32, **changes: object) -> Extractor:
    """An extractor that predicts about every second thing it looks at."""
    network = model(head, **changes)
    with torch.no_grad():  # random scores lie anywhere: move their middle to zero
        encoded = network.encode(Featurizer(tokenizer()).featurize(annotated()).passages)
        starts = torch.arange(17)
        network.mention_classifier.outer.bias -= network.mention_logits(encoded, starts, starts + 1).median()
    loose = Calibration(mention_threshold=0.5, coreference_threshold=0.55, relation_threshold=0.01)
    device = Device(torch.device("cpu"), precision, budget=0 if precision == torch.float32 else 512)
    return Extractor(
        network, Featurizer(tokenizer(), network.config.whole_pieces, network.config.passage_pieces), loose, device
    )


def save(folder: Path, head: str = "jerex-mrc") -> Path:
    """Write the tiny extractor as a checkpoint."""
    network = model(head)
    save_checkpoint(folder, network, tokenizer(), Calibration(relation_threshold=0.01), "# tiny\n")
    return folder


def plain(text: str, id: str = "doc") -> Document:
    """A document whose tokens are blank-separated and whose sentences end at `.` tokens."""
    tokens: list[tuple[int, int]] = []
    sentences: list[tuple[int, int]] = []
    at = 0
    first = 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        tokens.append((start, at))
        if word == ".":
            sentences.append((first, len(tokens)))
            first = len(tokens)
    if first < len(tokens):
        sentences.append((first, len(tokens)))
    return Document(id=id, source="test", title=id, text=text, tokens=tuple(tokens), sentences=tuple(sentences))


def annotated(id: str = "anna", copies: int = 1) -> Document:
    """A document with three entities, five mentions and two facts, repeated `copies` times."""
    text = " ".join(["Anna Berg lives in Oslo . She knows Bo Dahl . Bo left Oslo in May ."] * copies)
    base = plain(text, id)
    length = 17

    def mention(start: int, end: int, type: str) -> tuple[Mention, ...]:
        return tuple(Mention(start + i * length, end + i * length, type) for i in range(copies))

    def entity(type: str, *spans: tuple[int, int]) -> Entity:
        found = [m for start, end in spans for m in mention(start, end, type)]
        return Entity(tuple(sorted(found, key=lambda m: m.start)), type)

    return Document(
        id=id,
        source="test",
        title=id,
        text=text,
        tokens=base.tokens,
        sentences=base.sentences,
        entities=(entity("PER", (0, 2)), entity("LOC", (4, 5), (13, 14)), entity("PER", (8, 10), (11, 12))),
        facts=(Fact(0, "R1", 1, evidence=(0,)), Fact(0, "R3", 2)),
    )
