"""Settling which nodes join which, round by round: `stars` for more nodes than a worker can hold.

Every node knows what it would join, and who would join it. Once it is settled it tells those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType
from pipeline.resolution.clustering import CENTRE, ITERATIONS, OPEN, Match, assign, preference
from schemas import Record

# Word for a node that waited for others to the end, counted by the build.
LEFT = "left alone: at the end of a long chain"


class PendingNode(Record, frozen=True, array_like=True):
    """A node that is not settled.

    Attributes:
        wanted: what it would join, the likeliest first.
        followers: nodes that would join it.
        states: of the nodes in `wanted` that are settled.
    """

    wanted: tuple[Match, ...]
    followers: tuple[str, ...]
    states: dict[str, str]


@dataclass(eq=False)
class AssignClusters(beam.PTransform[Any, Any]):
    """(member, match) pairs, all that nodes would join, to `joined`, one match for each that does, and words `left`."""

    buckets: int
    rounds: int = ITERATIONS

    def expand(self, wanted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (member, match)."""
        centres = wanted | "by centre" >> beam.MapTuple(lambda member, match: (match.centre, member))
        nodes = (
            (wanted, centres)
            | "nodes" >> BucketedGroupByKey(self.buckets, ValueType(Match), ValueType(str))
            | "begin" >> beam.FlatMap(_begin).with_outputs("told", main="waiting")
        )
        joined = []
        for number in range(1, self.rounds + 1):
            nodes = (
                (nodes.waiting, nodes.told)
                | f"hear {number}"
                >> BucketedGroupByKey(self.buckets, ValueType(PendingNode), ValueType(tuple[str, str]))
                | f"settle {number}"
                >> beam.FlatMap(_settle)
                .with_output_types(tuple[str, PendingNode], told=tuple[str, tuple[str, str]], joined=Match)
                .with_outputs("told", "joined", main="waiting")
            )
            joined.append(nodes.joined)
        return {"joined": joined | "joined" >> beam.Flatten(), "left": nodes.waiting | "left" >> beam.Map(_left)}


def _begin(group: tuple[str, list[Match], list[str]]) -> Iterator[Any]:
    node, wanted, followers = group
    if wanted:
        yield node, PendingNode(tuple(sorted(wanted, key=preference)), tuple(followers), {})
    else:
        yield from _tell(node, CENTRE, followers)


def _settle(group: tuple[str, list[PendingNode], list[tuple[str, str]]]) -> Iterator[Any]:
    node, found, told = group
    for waiting in found:
        states = waiting.states | dict(told)
        state, match = assign((match, states.get(match.centre, OPEN)) for match in waiting.wanted)
        if match is not None:
            yield beam.pvalue.TaggedOutput("joined", match)
        if state == OPEN:
            yield node, PendingNode(waiting.wanted, waiting.followers, states)
        else:
            yield from _tell(node, state, waiting.followers)


def _tell(node: str, state: str, followers: Iterable[str]) -> Iterator[Any]:
    for follower in followers:
        yield beam.pvalue.TaggedOutput("told", (follower, (node, state)))


def _left(_: Any) -> str:
    return LEFT
