"""Entity resolution as Beam transforms: merge nodes without a knowledge-base id into nodes that denote the same thing.

A worker holds at most one bucket of blocks, each limited to a fixed number of records, or one bucket of nodes with the
profiles that they are compared with. A profile is sent once to each node that it may match; documents are not sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from operator import ior
from typing import Any

import apache_beam as beam
import msgspec

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType, buckets_for
from pipeline.beam.bucketed_lookup import BucketedLookup
from pipeline.beam.counters import count_values
from pipeline.beam.live_counts import LiveCounter
from pipeline.merging.findings import named_entities
from pipeline.resolution.blocking import LARGEST, BlockingRecord, blocking_record, keys, pairs
from pipeline.resolution.clustering import Match, matches, order
from pipeline.resolution.distributed_clustering import AssignClusters
from pipeline.resolution.matching import FEATURES, MatchModel
from pipeline.resolution.node_profiles import NodeProfile, ProfileTally, profile_tallies
from pipeline.store.shard_updates import MOVE, ShardUpdate
from pipeline.store.store import shard_of
from schemas import Document, Extraction, MergedNode

# Outcomes that are counted.
BEFORE = "nodes before"
CUT = "blocks cut"
# Shard, document and number of an entity.
_PLACE = tuple[int, str, int]


@dataclass(eq=False)
class ResolveEntities(beam.PTransform[Any, Any]):
    """(document, extraction) pairs to a dict of PCollections.

    - `updates`: (shard, update) pairs that assign entities to other nodes than their names do.
    - `merges`: a row for every node that is merged into another.
    - `counts`: (key, number) pairs.

    Attributes:
        shards: number of shards of the store that the documents come from.
        model: gives the probability that two nodes match.
        tally: counts documents for the display of progress.
    """

    shards: int
    model: MatchModel
    tally: LiveCounter | None = None

    def expand(self, extracted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (document, extraction)."""
        buckets = buckets_for(self.shards)
        collected = extracted | "collect" >> beam.ParDo(CollectProfiles(self.shards, self.tally)).with_output_types(
            tuple[str, ProfileTally], places=tuple[str, _PLACE]
        ).with_outputs("places", main="profiles")
        profiles = (
            (collected.profiles,)
            | "sum" >> BucketedGroupByKey(buckets, ValueType(ProfileTally, ProfileTally.merge))
            | "profiles" >> beam.Map(_profile).with_output_types(NodeProfile)
        )
        blocks = (profiles | "keys" >> beam.FlatMap(_in_blocks),) | "blocks" >> BucketedGroupByKey(
            buckets, ValueType(Block, partial(merge_blocks, LARGEST))
        )
        near = (
            (profiles | "by id" >> beam.Map(_by_id), blocks | "pairs" >> beam.FlatMap(_pairs))
            | "join pairs" >> BucketedGroupByKey(buckets, ValueType(NodeProfile), ValueType(set[str], ior))
            | "to those near" >> beam.FlatMap(_to_near)
        )
        matched = (
            (near,)
            | "join near" >> BucketedGroupByKey(buckets, ValueType(NodeProfile))
            | "match" >> beam.FlatMap(_matches, self.model).with_output_types(tuple[str, Match])
        )
        clusters = matched | "Assign clusters" >> AssignClusters(buckets)
        centres = clusters["joined"] | "moved" >> beam.Map(lambda match: (match.member, match.centre))
        updates = (
            (collected.places, centres)
            | "join places" >> BucketedLookup(buckets, _PLACE, ValueType(str, min))
            | "updates" >> beam.FlatMap(_updates).with_output_types(tuple[int, ShardUpdate])
        )
        merges = clusters["joined"] | "merges" >> beam.Map(_row).with_output_types(MergedNode)
        counts = (
            profiles | "before" >> beam.Map(lambda _: BEFORE).with_output_types(str),
            blocks | "cut" >> beam.FlatMap(_cut, LARGEST).with_output_types(str),
            clusters["joined"] | "reasons" >> beam.Map(lambda match: f"merged: {match.reason}").with_output_types(str),
            clusters["left"],
        ) | "counts" >> count_values("resolution")
        return {"updates": updates, "merges": merges, "counts": counts}


class CollectProfiles(beam.DoFn):
    """A document to the profiles of its nodes, and the places of its entities that may belong to other nodes."""

    def __init__(self, shards: int, tally: LiveCounter | None = None) -> None:
        self.shards = shards
        self.tally = tally

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield (node, tally) pairs; by the tag `places` also (node, (shard, document, number)) for each entity that
        has no id."""
        document, extraction = extracted
        if self.tally:
            self.tally.add(done=1)
        try:
            named = named_entities(document, extraction)
            tallies = list(profile_tallies(document, extraction, named))
        except Exception:
            named, tallies = [], []  # the merge fails on the same document and writes its dead letter
        yield from tallies
        shard = shard_of(document.id, self.shards)
        for index, entity in enumerate(named):
            if not entity.kb_ids:
                yield beam.pvalue.TaggedOutput("places", (entity.node, (shard, document.id, index)))

    def finish_bundle(self) -> None:
        """Write the live counts."""
        if self.tally:
            self.tally.flush()


class Block(msgspec.Struct, array_like=True, gc=False):
    """The first records of a block, and the number of its nodes."""

    nodes: int
    records: list[BlockingRecord]


def merge_blocks(most: int, one: Block, other: Block) -> Block:
    """Return the union of two blocks, with at most `most` records."""
    one.nodes += other.nodes
    one.records += other.records
    if len(one.records) > most:
        one.records = nsmallest(most, one.records, key=order)
    return one


def _profile(summed: tuple[str, ProfileTally]) -> NodeProfile:
    id, tally = summed
    return tally.profile(id)


def _by_id(profile: NodeProfile) -> tuple[str, NodeProfile]:
    return profile.id, profile


def _in_blocks(profile: NodeProfile) -> list[tuple[str, Block]]:
    own = blocking_record(profile)
    return [(key, Block(1, [own])) for key in keys(profile)]


def _pairs(group: tuple[str, Block]) -> Iterator[tuple[str, set[str]]]:
    """Yield each pair in both directions, because each node is compared with all of its pairs."""
    key, block = group
    for one, other in pairs(key, block.records):
        yield one, {other}
        yield other, {one}


def _cut(group: tuple[str, Block], most: int) -> list[str]:
    return [CUT] if group[1].nodes > most else []


def _to_near(group: tuple[str, list[NodeProfile], set[str] | None]) -> Iterator[tuple[str, NodeProfile]]:
    """Yield the profile of a node under the id of every node that it is compared with, and under its own."""
    id, profiles, near = group
    for profile in profiles:
        for other in {id, *near} if near else ():
            yield other, profile


def _matches(group: tuple[str, list[NodeProfile]], model: MatchModel) -> Iterator[tuple[str, Match]]:
    id, profiles = group
    own = next(profile for profile in profiles if profile.id == id)
    for match in matches(own, (profile for profile in profiles if profile.id != id), model):
        yield id, match


def _updates(found: tuple[str, tuple[int, str, int], str | None]) -> list[tuple[int, ShardUpdate]]:
    _, (shard, document, entity), centre = found
    return [] if centre is None else [(shard, ShardUpdate(MOVE, document, centre, entity))]


def _row(match: Match) -> MergedNode:
    return MergedNode(
        id=match.member,
        node=match.centre,
        name=match.name,
        type=match.type,
        support=match.support,
        score=match.score,
        reason=match.reason,
        features=tuple(zip(FEATURES, match.features, strict=True)),
        documents=match.documents,
    )
