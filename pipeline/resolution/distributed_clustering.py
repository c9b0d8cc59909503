"""Star clustering in Beam, for more nodes than a worker can hold: `star_clusters`, one iteration after the other.

Every node has its matches and its followers, the nodes that match it. When its state is assigned, it sends the state to
its followers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.resolution.clustering import CENTRE, ITERATIONS, PENDING, Match, assign, preference
from schemas import Record

# Outcome of a node that is still pending after the last iteration; counted by the build.
LEFT = "left alone: at the end of a long chain"


class PendingNode(Record, frozen=True, array_like=True):
    """A node whose state is not assigned yet.

    Attributes:
        wanted: its matches, the most probable first.
        followers: nodes that match it.
        states: the states of the nodes in `wanted`, as far as they are assigned.
    """

    wanted: tuple[Match, ...]
    followers: tuple[str, ...]
    states: dict[str, str]


@dataclass(eq=False)
class AssignClusters(beam.PTransform[Any, Any]):
    """(member, match) pairs, all matches of all nodes, to `joined`, one match for each member of a cluster, and `left`,
    an outcome for each node that is pending after the last iteration."""

    buckets: int
    iterations: int = ITERATIONS

    def expand(self, wanted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (member, match)."""
        centres = wanted | "by centre" >> beam.MapTuple(lambda member, match: (match.centre, member))
        nodes = (
            (wanted, centres)
            | "nodes" >> BucketedGroupByKey(self.buckets, ValueType(Match), ValueType(str))
            | "start" >> beam.FlatMap(_start).with_outputs("states", main="pending")
        )
        joined = []
        for number in range(1, self.iterations + 1):
            nodes = (
                (nodes.pending, nodes.states)
                | f"join states {number}"
                >> BucketedGroupByKey(self.buckets, ValueType(PendingNode), ValueType(tuple[str, str]))
                | f"assign {number}"
                >> beam.FlatMap(_assign)
                .with_output_types(tuple[str, PendingNode], states=tuple[str, tuple[str, str]], joined=Match)
                .with_outputs("states", "joined", main="pending")
            )
            joined.append(nodes.joined)
        return {"joined": joined | "joined" >> beam.Flatten(), "left": nodes.pending | "left" >> beam.Map(_left)}


def _start(group: tuple[str, list[Match], list[str]]) -> Iterator[Any]:
    node, wanted, followers = group
    if wanted:
        yield node, PendingNode(tuple(sorted(wanted, key=preference)), tuple(followers), {})
    else:
        yield from _send_state(node, CENTRE, followers)


def _assign(group: tuple[str, list[PendingNode], list[tuple[str, str]]]) -> Iterator[Any]:
    node, found, assigned = group
    for pending in found:
        states = pending.states | dict(assigned)
        state, match = assign((match, states.get(match.centre, PENDING)) for match in pending.wanted)
        if match is not None:
            yield beam.pvalue.TaggedOutput("joined", match)
        if state == PENDING:
            yield node, PendingNode(pending.wanted, pending.followers, states)
        else:
            yield from _send_state(node, state, pending.followers)


def _send_state(node: str, state: str, followers: Iterable[str]) -> Iterator[Any]:
    for follower in followers:
        yield beam.pvalue.TaggedOutput("states", (follower, (node, state)))


def _left(_: Any) -> str:
    return LEFT
