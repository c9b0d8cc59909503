"""Facts of a model card that no training run can find out: data, licences, languages, use, limits."""

from __future__ import annotations

from schemas import Record


class Dataset(Record, frozen=True):
    """A data set that a checkpoint was trained, selected or evaluated on.

    Attributes:
        name: as it is cited, with authors and year.
        license: licence of the annotations, and of the texts where that is another one.
        use: what it was used for: "training", "selection", "report", with counts of documents.
    """

    name: str
    license: str
    use: str


class CardFacts(Record, frozen=True):
    """Facts of a model card; empty ones are left out of it.

    Attributes:
        license: SPDX id of the licence of the checkpoint.
        languages: ISO 639 codes of the languages of its training texts.
        encoder: origin and licence of the pretrained encoder.
        datasets: all data that training, selection and report read.
        intended_use: one sentence.
        limits: a sentence for each limit that a user must know.
        command: the one command that trains it.
    """

    license: str = ""
    languages: tuple[str, ...] = ()
    encoder: str = ""
    datasets: tuple[Dataset, ...] = ()
    intended_use: str = ""
    limits: tuple[str, ...] = ()
    command: str = ""
