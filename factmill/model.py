"""Extractors that are called on texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from extractors import Extractor, Features, load_extractor
from extractors.inference.batching import groups_within
from extractors.inference.confidence import Calibration
from factmill.documents import as_document, as_documents, described
from factmill.result import Result, result_of
from schemas import Document, Relation, RelationSchema


class Model:
    """An extractor: call it on a text to get entities and facts. `load` makes one.

    Calls do not change it, and what it finds in a text does not depend on the other texts of a call.
    """

    def __init__(self, name: str, extractor: Extractor) -> None:
        self.name = name
        self._extractor = extractor

    @property
    def schema(self) -> RelationSchema:
        """The relation schema that it was trained on."""
        return self._extractor.schema

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The types that entities may have."""
        return self.schema.entity_types

    @property
    def relations(self) -> tuple[Relation, ...]:
        """The relations that facts may have."""
        return self.schema.relations

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a str is a sequence of texts too
        self, texts: str | Document, *, min_probability: float | None = None, min_precision: float | None = None
    ) -> Result: ...

    @overload
    def __call__(
        self,
        texts: Sequence[str | Document],
        *,
        min_probability: float | None = None,
        min_precision: float | None = None,
    ) -> list[Result]: ...

    def __call__(
        self,
        texts: str | Document | Sequence[str | Document],
        *,
        min_probability: float | None = None,
        min_precision: float | None = None,
    ) -> Result | list[Result]:
        """Extract entities and facts.

        Args:
            texts: a text or document, or a list of them, which are extracted in batches.
            min_probability: keep all facts with at least this probability, and no others.
            min_precision: cut facts where at least this share of them was right on the documents of the calibration.
                With neither, the cut is the one that the checkpoint was calibrated with.

        Returns:
            The result of a text, or a list with the result of each.

        Raises:
            TypeError: `texts` is something else; the message names the remedy.
            ValueError: both cuts are given, or one is no share; or the model only relates given entities, and a
                document has none.
            PrecisionError: the precision is not reached on the documents of the calibration.
        """
        extractor = self._cut(min_probability, min_precision)
        if isinstance(texts, str | Document):
            return next(_results(extractor, [as_document(texts)]))
        if not isinstance(texts, list | tuple):
            raise TypeError(f"a model takes a str, a factmill.Document or a list of them, not {described(texts)}")
        return list(_results(extractor, as_documents(texts)))

    def __repr__(self) -> str:
        schema = self.schema
        return (
            f"Model({self.name!r}: {len(schema.entity_types)} entity types and {len(schema.relations)} relations of "
            f"the schema '{schema.name}')"
        )

    def _cut(self, min_probability: float | None, min_precision: float | None) -> Extractor:
        """Return an extractor that shares everything with this one but the cut."""
        for name, share in (("min_probability", min_probability), ("min_precision", min_precision)):
            if share is not None and not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is a share from 0 to 1, not {share!r}")
        if min_probability is not None and min_precision is not None:
            raise ValueError("a cut follows from min_probability or from min_precision: give one of them")
        own = self._extractor
        calibration: Calibration = own.calibration
        if min_probability is not None:
            calibration = calibration.with_threshold(min_probability)
        elif min_precision is not None:
            calibration = calibration.at_precision(min_precision)
        else:
            return own
        return Extractor(own.model, own.featurizer, calibration, own.device)


def load(name: str | Path) -> Model:
    """Load an extractor.

    Args:
        name: one that comes with factmill (`docred-minilm`, `cdr-minilm`), one that an installed package registers, a
            folder, or the id of a model on the Hugging Face hub (`owner/name`), which is downloaded once.

    Raises:
        CheckpointError: there is none of this name, or it is damaged; the message names the remedy.
        TypeError: `name` is neither a str nor a path.
    """
    if not isinstance(name, str | Path):
        raise TypeError(f"the name of a model is a str or a path, not {described(name)}")
    return Model(str(name), load_extractor(str(name)))


def _results(extractor: Extractor, documents: Sequence[Document]) -> Iterator[Result]:
    """Yield the result of each document in order, with documents in batches that suit the device."""
    for batch in groups_within(map(extractor.featurize, documents), _cost, extractor.batch_cost):
        for prepared, extraction in zip(batch, extractor.extract(batch), strict=True):
            yield result_of(prepared.document, extraction, extractor.schema)


def _cost(prepared: Features) -> int:
    return prepared.pieces + prepared.pairs
