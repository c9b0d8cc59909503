"""The interface of extractors for the pipeline, and the sources from which workers load them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from schemas import Document, Extraction, RelationSchema

if TYPE_CHECKING:
    from extractors.inference.confidence import Calibration


class Features(Protocol):
    """A document ready for the model: `pieces` and `pairs` are what the encoder and the relation head will cost."""

    @property
    def document(self) -> Document:
        """The document itself."""

    @property
    def pieces(self) -> int:
        """Number of word pieces."""

    @property
    def pairs(self) -> int:
        """Upper estimate of the entity pairs."""


class Featurizer(Protocol):
    """Prepares documents on the CPU."""

    def featurize(self, document: Document) -> Features:
        """Return the document as the extractor takes it."""


class Extractor(Protocol):
    """Turns prepared documents into entities and facts; used by several threads at a time."""

    @property
    def batch_cost(self) -> int:
        """Pieces and pairs that it had better take at once."""

    def extract(self, batch: Sequence[Any]) -> list[Extraction]:
        """Return what is in each document, in the same order."""


class ExtractorSource(Protocol):
    """Where workers get an extractor from: crosses to them by pickle, and loads it there once per
    process or machine.

    A method `languages` may return the codes of the languages that it reads; then documents in others are warned of.
    """

    def featurizer(self) -> Featurizer:
        """Return what prepares documents; loads no weights."""

    def extractor(self) -> Extractor:
        """Return the extractor."""

    def one_per_machine(self) -> bool:
        """Return whether all processes of this machine had better share one extractor."""

    def relation_schema(self) -> RelationSchema:
        """Return the relations that the extractor predicts; loads no weights."""

    def finds_entities(self) -> bool:
        """Return whether it finds entities itself; otherwise it only relates those that documents have."""

    def identity(self) -> dict[str, str]:
        """Return what tells this extractor from others, for `run.json`."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of `extractors` as a source.

    Attributes:
        name: a name that comes with factmill, or a folder.
        threads: threads of one forward pass.
        min_confidence: facts from this probability on are found, also where the checkpoint would cut higher.
        min_precision: facts are cut so that this share of them is right, as far as the checkpoint's dev documents tell.
    """

    name: str
    threads: int
    min_confidence: float | None = None
    min_precision: float | None = None

    def featurizer(self) -> Featurizer:
        """Load the tokenizer."""
        from extractors import load_featurizer

        return load_featurizer(self.name)

    def extractor(self) -> Extractor:
        """Load the model."""
        from extractors import load_extractor
        from pipeline.extraction.model_threads import use_threads

        use_threads(self.threads)
        extractor = load_extractor(self.name)
        extractor.calibration = self._cut(extractor.calibration)
        return extractor

    def one_per_machine(self) -> bool:
        """Return whether all processes of a machine share one extractor: on a GPU, where a copy would take memory."""
        from extractors.encoder.device import accelerated

        return accelerated()

    def relation_schema(self) -> RelationSchema:
        """Read the schema that the checkpoint was trained on."""
        from extractors.checkpoints.checkpoint import find_checkpoint, load_config

        return load_config(find_checkpoint(self.name)).schema

    def finds_entities(self) -> bool:
        """Return whether the checkpoint is a joint one."""
        from extractors.checkpoints.checkpoint import find_checkpoint, load_config

        return load_config(find_checkpoint(self.name)).joint

    def languages(self) -> tuple[str, ...]:
        """Return the languages that the checkpoint was trained on."""
        from extractors.checkpoints.checkpoint import find_checkpoint, load_config

        return load_config(find_checkpoint(self.name)).languages

    def identity(self) -> dict[str, str]:
        """Check weights and cut; return the name, a hash of everything that changes what is extracted, and the cut."""
        from extractors.checkpoints.checkpoint import find_checkpoint, fingerprint, load_calibration
        from extractors.checkpoints.weights import check_weights

        # Here, so that damaged weights and a precision that is out of reach stop a build before any work.
        folder = find_checkpoint(self.name)
        check_weights(folder)
        cut = self._cut(load_calibration(folder)).relation_threshold
        return {"model": self.name, "fingerprint": fingerprint(folder), "relation_threshold": f"{cut:g}"}

    def _cut(self, calibration: Calibration) -> Calibration:
        if self.min_precision is not None:
            return calibration.at_precision(self.min_precision)
        return calibration if self.min_confidence is None else calibration.at_least(self.min_confidence)
