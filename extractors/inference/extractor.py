"""The extractor: from documents to entities and facts."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from extractors.encoder.device import Device, choose_device
from extractors.encoder.featurizer import Features, Featurizer
from extractors.inference.assembly import assemble
from extractors.inference.batching import groups_within
from extractors.inference.confidence import Calibration
from extractors.inference.decoding import PassageFacts, decode
from extractors.network.network import Network
from schemas import Document, Extraction, RelationSchema


class Extractor:
    """A joint extractor on a device.

    Results do not depend on what else is in a batch, to the bit: see `BUCKET` in `extractors.encoder` and `Device`.

    Args:
        model: the network; it is moved to the device and cast to its precision.
        featurizer: cuts documents into passages and pieces.
        calibration: thresholds and the calibration of probabilities.
        device: where to run; the best one there is if absent.
    """

    def __init__(
        self, model: Network, featurizer: Featurizer, calibration: Calibration, device: Device | None = None
    ) -> None:
        self.device = device or choose_device()
        self.model = model.to(self.device.torch_device, self.device.precision).eval()
        self.featurizer = featurizer
        self.calibration = calibration

    @property
    def batch_cost(self) -> int:
        """Pieces and pairs of a batch of good speed."""
        return self.device.batch_cost

    @property
    def schema(self) -> RelationSchema:
        """Relations and entity types that it predicts."""
        return self.model.config.schema

    def featurize(self, document: Document) -> Features:
        """Tokenise a document; needs no weights."""
        return self.featurizer.featurize(document)

    def extract(self, batch: Sequence[Features], facts: bool = True) -> list[Extraction]:
        """Extract entities and, if wanted, facts from each document of the batch, in the same order."""
        found = self.extract_passages(batch, facts)
        return [assemble(features.document, passages) for features, passages in zip(batch, found, strict=True)]

    def extract_passages(self, batch: Sequence[Features], facts: bool = True) -> list[list[PassageFacts]]:
        """Return what is found in each passage of each document, before passages are put together."""
        tasks = [(owner, index) for owner, features in enumerate(batch) for index in range(len(features.passages))]

        def pieces(task: tuple[int, int]) -> int:
            return len(batch[task[0]].passages[task[1]].pieces)

        # Passages of like length share a forward pass, so that little is padded.
        tasks.sort(key=lambda task: (pieces(task), task))
        results: dict[tuple[int, int], PassageFacts] = {}
        with torch.inference_mode():
            for group in groups_within(tasks, pieces, self.device.budget):
                passages = [batch[owner].passages[index] for owner, index in group]
                documents = [batch[owner].document for owner, _ in group]
                decoded = decode(self.model, self.calibration, passages, documents, facts)
                results.update(zip(group, decoded, strict=True))
        return [
            [results[owner, index] for index in range(len(features.passages))] for owner, features in enumerate(batch)
        ]
