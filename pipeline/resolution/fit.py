"""Fits the model of resolution to pairs of nodes that links or annotations label as one thing or two.

The documents are those of a graph of a Wikipedia dump, whose links state what an entity is, and annotated documents
with ids (docs/explanation/resolution.md).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from heapq import nsmallest
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy.optimize import minimize

from pipeline.merging.findings import named_entities
from pipeline.merging.naming import entity_name, knowledge_base_ids
from pipeline.readers import read_path
from pipeline.resolution.blocking import LARGEST, blocking_record, keys, pairs
from pipeline.resolution.clustering import order
from pipeline.resolution.matching import FEATURES, MatchModel, features
from pipeline.resolution.names import folded
from pipeline.resolution.node_profiles import NodeProfile, ProfileTally, profile_tallies
from pipeline.store.shard_updates import REDIRECT as REDIRECTED
from pipeline.store.shard_updates import ShardUpdate
from pipeline.store.store import REDIRECT, Store, read_shard
from pipeline.store.store_transforms import read_updated_shard
from schemas import DeadLetter, Document, Entity, Extraction, Redirect, decode

# Features that can only be evidence against a match; the others can only be evidence for it.
AGAINST = {"contained", "unlike words", "single word", "common noun", "brackets", "together"}
# A node denotes the target of this share of its entities, or none.
PURE = 0.8
# Shares of targets and of other linked entities whose ids are hidden to fit.
HIDDEN = (0.3, 0.6)
Corpus = list[tuple[Document, Extraction]]
# For every entity: its link target, and whether that was hidden.
Gold = list[list[tuple[str, bool]]]
LabelledPair = tuple[NodeProfile, NodeProfile, bool]


def share(*parts: object) -> float:
    """Return a number from 0 to 1 that follows from the parts alone."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def corpus_of_graph(graph: Path) -> Corpus:
    """Return the documents of a graph with their extractions."""
    store = Store.open(graph)
    shards = range(store.info.shards)
    redirects = [row for number in shards for row in read_shard(store.path(number), (REDIRECT,))]
    notes = [ShardUpdate(REDIRECTED, row.id, decode(row.record, Redirect).target) for row in redirects]
    found = [item for number in shards for item in read_updated_shard(store, number, notes)]
    return [item for item in found if not isinstance(item, DeadLetter)]


def annotated_corpus(path: Path) -> Corpus:
    """Return annotated documents with their entities."""
    documents = [item for item in read_path(path, None) if isinstance(item, Document)]
    return [(item, Extraction(item.id, item.entities or (), ())) for item in documents]


def hide(corpus: Corpus, targets: float, entities: float) -> tuple[Corpus, Gold]:
    """Return the corpus without the ids of a share of the targets and of a share of all other linked entities."""
    hidden, gold = [], Gold()
    for document, extraction in corpus:
        bare, targets_of = list[Entity](), []
        for index, entity in enumerate(extraction.entities):
            ids = knowledge_base_ids(document, entity, entity_name(document, entity)[0]) if entity.kb_ids else ()
            target = ids[0] if ids else ""
            gone = bool(target) and (share("target", target) < targets or share(document.id, index) < entities)
            bare.append(_bare(entity) if gone else entity)
            targets_of.append((target, gone))
        hidden.append((document, msgspec.structs.replace(extraction, entities=tuple(bare))))
        gold.append(targets_of)
    return hidden, gold


def _bare(entity: Entity) -> Entity:
    mentions = tuple(msgspec.structs.replace(mention, kb_ids=()) for mention in entity.mentions)
    return msgspec.structs.replace(entity, kb_ids=(), mentions=mentions)


def profiles_of(corpus: Corpus) -> dict[str, NodeProfile]:
    """Return the profiles of all nodes of a corpus, by their ids."""
    tallies: dict[str, ProfileTally] = defaultdict(ProfileTally)
    for document, extraction in corpus:
        for id, tally in profile_tallies(document, extraction, named_entities(document, extraction)):
            tallies[id].merge(tally)
    return {id: tally.profile(id) for id, tally in tallies.items()}


def compared_nodes(profiles: Mapping[str, NodeProfile]) -> tuple[dict[str, set[str]], int]:
    """Return the nodes that each node is compared with, and the number of blocks that were cut."""
    blocks = defaultdict(list)
    for profile in profiles.values():
        for key in keys(profile):
            blocks[key].append(blocking_record(profile))
    found: dict[str, set[str]] = defaultdict(set)
    for key, records in blocks.items():
        for one, other in pairs(key, nsmallest(LARGEST, records, key=order)):
            found[one].add(other)
            found[other].add(one)
    return found, sum(len(records) > LARGEST for records in blocks.values())


def labelled_pairs(corpus: Corpus, gold: Gold) -> Iterator[LabelledPair]:
    """Yield pairs of compared nodes, and whether their links have one target."""
    profiles = profiles_of(corpus)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (document, extraction), targets_of in zip(corpus, gold, strict=True):
        for named, (target, _) in zip(named_entities(document, extraction), targets_of, strict=True):
            counts[named.node][target] += 1
    label = {node: found.most_common(1)[0] for node, found in counts.items()}
    known = {n: target for n, (target, count) in label.items() if target and count >= PURE * counts[n].total()}
    for one, others in compared_nodes(profiles)[0].items():
        for other in others:
            if one < other and one in known and other in known:
                same = known[one] == known[other]
                if same or not _may_redirect(known[one], known[other]):
                    yield profiles[one], profiles[other], same


def _may_redirect(one: str, other: str) -> bool:
    """Return whether one title may redirect to the other: a dump of some pages lacks most redirects."""

    def spelling(title: str) -> list[str]:
        words = folded(title.replace("(", " ").replace(")", " ")).split()
        return [word[:-1] if word.endswith("s") and len(word) > 3 else word for word in words]

    return one.startswith("wiki:") and spelling(one) == spelling(other)


def fitted_model(rows: list[LabelledPair], threshold: float) -> MatchModel:
    """Return the logistic model of highest penalised likelihood (L2, 1.0), each weight with the sign of its meaning."""
    values = np.array([(1.0, *features(one, other)) for one, other, _ in rows])
    same = np.array([row[2] for row in rows], float)

    def loss(weights: Any) -> tuple[float, Any]:
        odds = values @ weights
        error = 1 / (1 + np.exp(-odds)) - same
        penalty = np.concatenate([[0.0], weights[1:]])
        return np.logaddexp(0, odds).sum() - same @ odds + penalty @ penalty / 2, values.T @ error + penalty

    bounds = [(None, None), *((None, 0) if name in AGAINST else (0, None) for name in FEATURES)]
    best = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    bias, *weights = (round(float(weight), 3) + 0.0 for weight in best)
    return MatchModel(bias, dict(zip(FEATURES, weights, strict=True)), threshold)


def fitting_pairs(corpora: list[Corpus]) -> list[LabelledPair]:
    """Return the labelled pairs of some corpora, with several shares of their ids hidden."""
    return [row for corpus in corpora for much in HIDDEN for row in labelled_pairs(*hide(corpus, much, much))]


def first_half(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """Return the documents that weights are fitted on, and those that figures are of."""
    chosen = [share("page", item[0].id) < 0.5 for item in corpus]
    halves = [[item for item, first in zip(corpus, chosen, strict=True) if first is half] for half in (True, False)]
    return halves[0], halves[1]
