"""Clusters of nodes that match, as stars: chains of matches join nothing.

A cluster is one node that stands for all, its centre, and nodes that match this very node. Nodes come in an order:
those with a knowledge-base id first, then those in more documents. A node that would join no other is a centre; one
that would join a centre does; of the rest, those that would only join nodes that have joined others are centres, and so
on. No two nodes with ids are ever compared, so they are always centres, of different stars.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pipeline.resolution.blocking import BlockingRecord, may_match
from pipeline.resolution.matching import DECIMALS, MatchModel, features, probability, reason
from pipeline.resolution.node_profiles import NodeProfile
from schemas import Record

# A match less likely than this is no rival of another one.
_RIVAL = 0.05
_SURE = 1 - 1e-6
# What a node may be, and how often nodes are settled: each round settles those that waited for nodes just settled.
OPEN, CENTRE, JOINED = "open", "centre", "joined"
ITERATIONS = 3


class Match(Record, frozen=True, array_like=True):
    """A node that may join another, which comes before it in the order.

    Attributes:
        member, centre: ids of the nodes.
        name, type, support, documents: what the member is called, its type, how many documents mention it, and some.
        score: how likely both are one, rivals considered.
        reason: what the names have to do with each other.
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
    """Return what sorts the matches of one node, the likeliest first."""
    return -match.score, match.centre


def order(profile: NodeProfile | BlockingRecord) -> tuple[bool, int, str]:
    """Return what sorts nodes: those with an id first, then those in more documents."""
    return not profile.kb_id, -profile.support, profile.id


def matches(own: NodeProfile, others: Iterable[NodeProfile], model: MatchModel) -> list[Match]:
    """Return the nodes that a node would join, the likeliest first.

    Nodes that match it and not each other are rivals: at most one of them is the node. With odds o, r1, r2, ... of each
    match by itself, it is the first with probability o / (1 + o + r1 + r2 + ...).

    Args:
        own: the node.
        others: all nodes that it is compared with, in any order.
        model: how likely two nodes are one.
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
    """Return the state of a node: it has `JOINED` another, is a `CENTRE`, or `OPEN` for as long as it has to wait.

    Args:
        wanted: what it would join, the likeliest first, each with its state.
    """
    for match, state in wanted:
        if state == CENTRE:
            return JOINED, match
        if state == OPEN:
            return OPEN, None
    return CENTRE, None


def stars(wanted: Mapping[str, Sequence[Match]], rounds: int = ITERATIONS) -> tuple[dict[str, Match], int]:
    """Return how every node joins another that does, given what each would join, and how many are open in the end."""
    states = dict.fromkeys((member for member, found in wanted.items() if found), OPEN)
    joined: dict[str, Match] = {}
    for _ in range(rounds):
        settled = {
            member: assign((match, states.get(match.centre, CENTRE)) for match in wanted[member])
            for member, state in states.items()
            if state == OPEN
        }
        for member, (state, match) in settled.items():
            states[member] = state
            if match is not None:
                joined[member] = match
    return joined, sum(state == OPEN for state in states.values())


def _match(one: NodeProfile, other: NodeProfile, model: MatchModel) -> bool:
    return may_match(one, other) and probability(features(one, other), model) >= model.threshold


def _odds(chance: float) -> float:
    bounded = min(chance, _SURE)
    return bounded / (1 - bounded)
