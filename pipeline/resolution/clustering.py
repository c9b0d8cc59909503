"""Star clustering of nodes that match: a cluster is a centre and the nodes that match the centre itself.

Chains of matches do not merge nodes. Nodes are ordered: those with a knowledge-base id first, then by the number of
documents. A node that matches no earlier node is a centre; a node that matches a centre becomes its member; nodes that
only match members are centres, and so on. Nodes with ids are never compared with each other, so each is the centre of a
cluster of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pipeline.resolution.blocking import BlockingRecord, may_match
from pipeline.resolution.matching import DECIMALS, MatchModel, features, probability, reason
from pipeline.resolution.node_profiles import NodeProfile
from schemas import Record

# The least probability of a match that is a rival of another one.
_RIVAL = 0.05
_SURE = 1 - 1e-6
# The states of a node, and the number of iterations: each assigns the nodes that waited for the previous one.
PENDING, CENTRE, MEMBER = "pending", "centre", "member"
ITERATIONS = 3


class Match(Record, frozen=True, array_like=True):
    """A node that may become a member of another node's cluster; the other one comes first in the order.

    Attributes:
        member, centre: ids of the nodes.
        name, type, support, documents: of the member: its name, type, number of documents, and a sample of them.
        score: probability that both denote the same thing, given the rivals.
        reason: the relation between the names.
        features: values by `FEATURES`.
    """

    member: str
    centre: str
    name: str
    type: str
    support: int
    documents: tuple[str, ...]
    score: float
    reason: str
    features: tuple[float, ...]


def preference(match: Match) -> tuple[float, str]:
    """Return the sort key of the matches of one node, the most probable first."""
    return -match.score, match.centre


def order(profile: NodeProfile | BlockingRecord) -> tuple[bool, int, str]:
    """Return the sort key of nodes: those with an id first, then by the number of documents."""
    return not profile.kb_id, -profile.support, profile.id


def matches(own: NodeProfile, others: Iterable[NodeProfile], model: MatchModel) -> list[Match]:
    """Return the matches of a node with earlier nodes, the most probable first.

    Nodes that match it but not each other are rivals: at most one of them is the same as the node. With odds o, r1,
    r2, ... of each match by itself, the probability of the first is o / (1 + o + r1 + r2 + ...).

    Args:
        own: the node.
        others: all nodes that it is compared with, in any order.
        model: gives the probability that two nodes match.
    """
    if own.kb_id:
        return []
    found = {}
    for other in sorted(others, key=order):
        if may_match(own, other):
            values = features(own, other)
            chance = probability(values, model)
            if chance >= _RIVAL:
                found[other.id] = (other, chance, values)
    joined = []
    for other, chance, values in found.values():
        if chance < model.threshold or order(other) > order(own):
            continue
        rivals = [rival for rival, _, _ in found.values() if rival.id != other.id and not _match(rival, other, model)]
        odds = [_odds(chance), *(_odds(found[rival.id][1]) for rival in rivals)]
        share = round(odds[0] / (1 + math.fsum(odds)), DECIMALS)
        if share >= model.threshold:
            joined.append(
                Match(
                    member=own.id,
                    centre=other.id,
                    name=own.name,
                    type=own.type,
                    support=own.support,
                    documents=own.documents,
                    score=share,
                    reason=reason(values),
                    features=values,
                )
            )
    return sorted(joined, key=preference)


def assign(wanted: Iterable[tuple[Match, str]]) -> tuple[str, Match | None]:
    """Return the state of a node, and its match if it is a member: `MEMBER`, `CENTRE`, or `PENDING` while it waits.

    Args:
        wanted: its matches, the most probable first, each with the state of the other node.
    """
    for match, state in wanted:
        if state == CENTRE:
            return MEMBER, match
        if state == PENDING:
            return PENDING, None
    return CENTRE, None


def star_clusters(wanted: Mapping[str, Sequence[Match]], iterations: int = ITERATIONS) -> tuple[dict[str, Match], int]:
    """Return the match of every member by its id, given the matches of all nodes, and the number of pending nodes.

    This is the algorithm on one machine, for tests and measurements; `AssignClusters` runs it in Beam.
    """
    states = dict.fromkeys((member for member, found in wanted.items() if found), PENDING)
    joined: dict[str, Match] = {}
    for _ in range(iterations):
        assigned = {
            member: assign((match, states.get(match.centre, CENTRE)) for match in wanted[member])
            for member, state in states.items()
            if state == PENDING
        }
        for member, (state, match) in assigned.items():
            states[member] = state
            if match is not None:
                joined[member] = match
    return joined, sum(state == PENDING for state in states.values())


def _match(one: NodeProfile, other: NodeProfile, model: MatchModel) -> bool:
    return may_match(one, other) and probability(features(one, other), model) >= model.threshold


def _odds(chance: float) -> float:
    bounded = min(chance, _SURE)
    return bounded / (1 - bounded)
