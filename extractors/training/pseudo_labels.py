"""Facts that annotators left out, filled in by trained extractors and by what relations say about each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from scipy.special import expit, logit
from torch import Tensor

from extractors.checkpoints.checkpoint import find_checkpoint, fingerprint
from extractors.checkpoints.loading import load_extractor
from extractors.inference.annotated_pairs import annotated_pairs
from extractors.inference.confidence import DIGITS
from extractors.inference.extractor import Extractor
from schemas import Document, Fact, Record, RelationSchema
from schemas.record import decode, encode

# Documents whose probabilities are held at once.
BLOCK = 256
# No teacher is taken for more certain than this.
LEAST = 1e-3


class Completed(Record, frozen=True):
    """The facts of some documents, in their order."""

    facts: tuple[tuple[Fact, ...], ...]


def complete_facts(
    documents: Sequence[Document],
    teachers: Sequence[Extractor],
    cut: float,
    tell: Callable[[int], None] = lambda done: None,
) -> list[Document]:
    """Return the documents with their annotated facts and those that the teachers find between annotated entities.

    Args:
        documents: annotated documents.
        teachers: extractors of one relation schema.
        cut: a fact is added where the mean of the teachers' calibrated probabilities is not below it. A label that is
            itself uncertain gets the probability that follows from both, see `combined`.
        tell: told how many documents are done, those that some teachers have read counting in part.

    Raises:
        ValueError: there is no teacher, the teachers predict different relations, or a document does not fit them.
    """
    if not teachers:
        raise ValueError("no teacher completes the facts: name at least one checkpoint")
    schema = teachers[0].schema
    for teacher in teachers:
        if teacher.schema.index != schema.index:
            raise ValueError(f"the teachers predict different relations: '{schema.name}' and '{teacher.schema.name}'")
    completed = list(documents)
    tell(0)
    for start in range(0, len(documents), BLOCK):
        block = documents[start : start + BLOCK]
        mean: dict[int, Tensor] = {}
        for number, teacher in enumerate(teachers, start=1):
            for at, probability in _probabilities(block, teacher):
                mean[at] = mean.get(at, 0.0) + probability / len(teachers)
            tell(start + len(block) * number // len(teachers))
        for at, probability in mean.items():
            completed[start + at] = _with_facts(block[at], probability, cut, schema)
    return completed


def combined(label: float, teacher: float) -> float:
    """Return the probability of a fact that a label of known quality and a teacher assert independently.

    p / (1 - p) = label / (1 - label) * teacher / (1 - teacher): a teacher at one half leaves the label's probability as
    it is.
    """
    value = float(expit(logit(label) + logit(np.clip(teacher, LEAST, 1 - LEAST))))
    return round(value, DIGITS)


def without_relations(document: Document, absent: Collection[str]) -> Document:
    """Return a document without the facts of some relations."""
    return replace(document, facts=tuple(fact for fact in document.facts if fact.relation not in absent))


def close_facts(document: Document, schema: RelationSchema) -> Document:
    """Return a document with the facts that its own imply: swapped if symmetric, and those of inverse relations."""
    facts = {(fact.head, fact.relation, fact.tail): fact for fact in document.facts}
    open_facts = list(document.facts)
    while open_facts:
        fact = open_facts.pop()
        relation = schema.by_id[fact.relation]
        for name in ({fact.relation} if relation.symmetric else set()) | ({relation.inverse} - {None}):
            implied = replace(fact, head=fact.tail, relation=name, tail=fact.head)
            if (implied.head, implied.relation, implied.tail) not in facts:
                facts[implied.head, implied.relation, implied.tail] = implied
                open_facts.append(implied)
    return replace(document, facts=tuple(facts.values()))


def taken_for_sure(document: Document) -> Document:
    """Return a document whose facts have lost their doubts: each counts as if it were annotated."""
    return replace(document, facts=tuple(replace(fact, probability=1.0) for fact in document.facts))


def completed_once(
    documents: Sequence[Document],
    teachers: Sequence[str],
    cut: float,
    folder: Path,
    tell: Callable[[int], None] = lambda done: None,
) -> Sequence[Document]:
    """Return the documents completed by some checkpoints; the facts are kept in a folder and read there next time.

    `tell` is told how many documents are done, if any have to be read.

    Raises:
        CheckpointError: a checkpoint is missing or damaged.
        ValueError: see `complete_facts`.
    """
    digest = hashlib.sha256(f"{cut} {[fingerprint(find_checkpoint(name)) for name in teachers]}".encode())
    for document in documents:
        digest.update(encode(document))
    path = folder / f"completed-{digest.hexdigest()[:16]}.msgpack"
    if not path.exists():
        completed = complete_facts(documents, [load_extractor(name) for name in teachers], cut, tell)
        part = path.with_suffix(".part")
        part.write_bytes(encode(Completed(tuple(document.facts for document in completed))))
        part.replace(path)
    facts = decode(path.read_bytes(), Completed).facts
    return [replace(document, facts=own) for document, own in zip(documents, facts, strict=True)]


def _probabilities(documents: Sequence[Document], teacher: Extractor) -> list[tuple[int, Tensor]]:
    """Return for each document that has pairs its position and the probabilities: shape (pairs, relations)."""
    calibration = teacher.calibration.given or teacher.calibration
    names = [relation.id for relation in teacher.schema.relations]
    model = teacher.model
    found: list[tuple[int, Tensor]] = []
    with torch.inference_mode():
        for group, host, pairs in annotated_pairs(model, teacher.preparer, documents):
            scores = model.relation_scores(pairs).double().cpu().numpy()
            probability = torch.from_numpy(calibration.probabilities(scores, names)).float()
            head, tail = pairs.types.cpu()[host.pairs].unbind(1)
            probability = probability.masked_fill(~model.allowed_pairs[head, tail], 0.0)
            owner = host.entity_passage[host.pairs[:, 0]]
            sizes = torch.bincount(owner, minlength=len(group)).tolist()
            found += zip(group, torch.split(probability, sizes), strict=True)
    return found


def _with_facts(document: Document, probability: Tensor, cut: float, schema: RelationSchema) -> Document:
    """Add the facts that are not below the cut; pairs are sorted by (head, tail)."""
    pairs = list(permutations(range(len(document.entities or ())), 2))
    row = {pair: number for number, pair in enumerate(pairs)}
    labels = []
    for fact in document.facts:
        if fact.probability < 1 and fact.head != fact.tail:
            found = float(probability[row[fact.head, fact.tail], schema.index[fact.relation]])
            fact = replace(fact, probability=combined(fact.probability, found))
        labels.append(fact)
    known = {(fact.head, fact.relation, fact.tail) for fact in labels}
    added = []
    for pair, relation in (probability >= cut).nonzero().tolist():
        (head, tail), name = pairs[pair], schema.relations[relation].id
        if (head, name, tail) not in known:
            added.append(Fact(head, name, tail, round(float(probability[pair, relation]), DIGITS)))
    return replace(document, facts=(*labels, *added))
