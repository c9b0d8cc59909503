"""Pairs of annotated entities in batches, as inference scores them; for calibration and pseudo-labels."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import torch

from extractors.encoder.device import choose_device
from extractors.encoder.featurizer import Featurizer
from extractors.encoder.layout import Layout, lay_out_entities, lay_out_words
from extractors.heads import EntityPairs
from extractors.inference.batching import groups_within
from extractors.network.examples import entity_spans, make_example
from extractors.network.network import Network
from schemas import Document


def inference_copy(model: Network) -> Network:
    """Return a copy of a network where and in which precision it is used, ready to score."""
    device = choose_device()
    return copy.deepcopy(model).to(device.torch_device, device.precision).eval()


def annotated_pairs(
    model: Network, featurizer: Featurizer, documents: Sequence[Document]
) -> Iterator[tuple[list[int], Layout, EntityPairs]]:
    """Yield all pairs of annotated entities in batches: positions of the documents, layout on the host, and pairs.

    Documents with fewer than two entities have no pairs and are left out. The network is an `inference_copy`.
    """
    usable = [at for at, document in enumerate(documents) if document.tokens and len(document.entities or ()) > 1]
    examples = {at: make_example(model, featurizer.featurize(documents[at])) for at in usable}
    usable.sort(key=lambda at: len(examples[at].passage.pieces))
    for group in groups_within(usable, lambda at: len(examples[at].passage.pieces), choose_device().budget):
        batch = [examples[at] for at in group]
        passages = [example.passage for example in batch]
        spans = lay_out_entities([entity_spans(example.document) for example in batch], lay_out_words(passages))
        types = torch.tensor([number for example in batch for number in example.types], dtype=torch.long)
        yield group, spans, model(passages, spans, types)
