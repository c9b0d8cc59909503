"""Pseudo-labels: facts that annotators left out, added where trained extractors (the teachers) find them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from itertools import permutations
from pathlib import Path

import torch
from msgspec.structs import replace
from torch import Tensor

from extractors.checkpoints.checkpoint import find_checkpoint, fingerprint
from extractors.checkpoints.loading import load_extractor
from extractors.inference.annotated_pairs import annotated_pairs
from extractors.inference.confidence import DIGITS
from extractors.inference.extractor import Extractor
from extractors.training.label_quality import sharpened
from schemas import Document, Fact, Record, RelationSchema
from schemas.record import decode, encode

# Documents whose probabilities are held at once.
BLOCK = 256


class PseudoLabels(Record, frozen=True):
    """The facts of some documents, in their order."""

    facts: tuple[tuple[Fact, ...], ...]


def add_pseudo_labels(
    documents: Sequence[Document],
    teachers: Sequence[Extractor],
    threshold: float,
    report_progress: Callable[[int], None] = lambda done: None,
) -> list[Document]:
    """Return the documents with their annotated facts and those that the teachers find between annotated entities.

    Args:
        documents: annotated documents.
        teachers: extractors of one relation schema.
        threshold: a fact is added where the mean of the teachers' calibrated probabilities reaches it. Labels that are
            uncertain themselves get the probability that follows from both, see `label_quality.py`.
        report_progress: called with the number of documents that are done; a document that some teachers have read
            counts in part.

    Raises:
        ValueError: there is no teacher, the teachers predict different relations, or a document does not fit them.
    """
    if not teachers:
        raise ValueError("pseudo-labels need a teacher: name at least one checkpoint")
    schema = teachers[0].schema
    for teacher in teachers:
        if teacher.schema.index != schema.index:
            raise ValueError(f"the teachers predict different relations: '{schema.name}' and '{teacher.schema.name}'")
    labelled = list(documents)
    judged: dict[tuple[int, int], float] = {}
    report_progress(0)
    for start in range(0, len(documents), BLOCK):
        block = documents[start : start + BLOCK]
        mean: dict[int, Tensor] = {}
        for number, teacher in enumerate(teachers, start=1):
            for at, probability in _probabilities(block, teacher):
                mean[at] = mean.get(at, 0.0) + probability / len(teachers)
            report_progress(start + len(block) * number // len(teachers))
        for at, probability in mean.items():
            labelled[start + at], labels = _with_facts(block[at], probability, threshold, schema)
            judged |= {(start + at, position): value for position, value in labels.items()}
    return sharpened(labelled, judged)


def without_relations(document: Document, absent: Collection[str]) -> Document:
    """Return a document without the facts of some relations."""
    return replace(document, facts=tuple(fact for fact in document.facts if fact.relation not in absent))


def with_hard_labels(document: Document) -> Document:
    """Return a document whose facts all have probability 1: each counts like an annotated one."""
    return replace(document, facts=tuple(replace(fact, probability=1.0) for fact in document.facts))


def cached_pseudo_labels(
    documents: Sequence[Document],
    teachers: Sequence[str],
    threshold: float,
    folder: Path,
    report_progress: Callable[[int], None] = lambda done: None,
) -> Sequence[Document]:
    """Return the documents with the pseudo-labels of some checkpoints, which are cached in a folder.

    `report_progress` is called as in `add_pseudo_labels`, unless the cache has the labels.

    Raises:
        CheckpointError: a checkpoint is missing or damaged.
        ValueError: see `add_pseudo_labels`.
    """
    digest = hashlib.sha256(f"{threshold} {[fingerprint(find_checkpoint(name)) for name in teachers]}".encode())
    for document in documents:
        digest.update(encode(document))
    path = folder / f"pseudo-labels-{digest.hexdigest()[:16]}.msgpack"
    if not path.exists():
        labelled = add_pseudo_labels(documents, [load_extractor(name) for name in teachers], threshold, report_progress)
        part = path.with_suffix(".part")
        part.write_bytes(encode(PseudoLabels(tuple(document.facts for document in labelled))))
        part.replace(path)
    facts = decode(path.read_bytes(), PseudoLabels).facts
    return [replace(document, facts=own) for document, own in zip(documents, facts, strict=True)]


def _probabilities(documents: Sequence[Document], teacher: Extractor) -> list[tuple[int, Tensor]]:
    """Return for each document that has pairs its position and the probabilities: shape (pairs, relations)."""
    calibration = teacher.calibration.given or teacher.calibration
    names = [relation.id for relation in teacher.schema.relations]
    model = teacher.model
    found: list[tuple[int, Tensor]] = []
    with torch.inference_mode():
        for group, host, pairs in annotated_pairs(model, teacher.featurizer, documents):
            scores = model.relation_scores(pairs).double().cpu().numpy()
            probability = torch.from_numpy(calibration.probabilities(scores, names)).float()
            head, tail = pairs.types.cpu()[host.pairs].unbind(1)
            probability = probability.masked_fill(~model.allowed_pairs[head, tail], 0.0)
            owner = host.entity_passage[host.pairs[:, 0]]
            sizes = torch.bincount(owner, minlength=len(group)).tolist()
            found += zip(group, torch.split(probability, sizes), strict=True)
    return found


def _with_facts(
    document: Document, probability: Tensor, threshold: float, schema: RelationSchema
) -> tuple[Document, dict[int, float]]:
    """Add the facts that reach the threshold, and return the probability of each uncertain label by its position.

    Pairs are sorted by (head, tail).
    """
    pairs = list(permutations(range(len(document.entities or ())), 2))
    row = {pair: number for number, pair in enumerate(pairs)}
    judged = {
        position: float(probability[row[fact.head, fact.tail], schema.index[fact.relation]])
        for position, fact in enumerate(document.facts)
        if fact.probability < 1 and fact.head != fact.tail
    }
    known = {(fact.head, fact.relation, fact.tail) for fact in document.facts}
    added = []
    for pair, relation in (probability >= threshold).nonzero().tolist():
        (head, tail), name = pairs[pair], schema.relations[relation].id
        if (head, name, tail) not in known:
            added.append(Fact(head, name, tail, round(float(probability[pair, relation]), DIGITS)))
    return replace(document, facts=(*document.facts, *added)), judged
