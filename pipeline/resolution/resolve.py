"""Resolution as Beam transforms: which nodes without a knowledge-base id are one with another node.

No worker holds more than the cards of one block, cut to a fixed number, and the profiles that one node is compared
with. Whole profiles travel once to each node that they may be one with, and documents not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from pipeline.merging import named_entities
from pipeline.notes import MOVE, Note
from pipeline.resolution.blocking import LARGEST, Card, card, keys, pairs
from pipeline.resolution.matching import FEATURES, Weights
from pipeline.resolution.profile import Profile, ProfileTally, added, said
from pipeline.resolution.rounds import Settle
from pipeline.resolution.stars import Match, matches, order
from pipeline.store import shard_of
from schemas import Document, Extraction, MergedNode, decode, encode

# Words of what was found, counted by the build.
BEFORE = "nodes before"
CUT = "blocks cut"


@dataclass(eq=False)
class Resolve(beam.PTransform[Any, Any]):
    """(document, extraction) pairs to a dict of PCollections.

    - `notes`: (shard, note) pairs that tell which entities belong to other nodes than their names say.
    - `merges`: a row for every node that is part of another.
    - `found`: words for what is counted.

    Attributes:
        shards: number of shards of the store that the documents come from.
        model: how likely two nodes are one.
    """

    shards: int
    model: Weights

    def expand(self, extracted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (document, extraction)."""
        heard = extracted | "hear" >> beam.ParDo(Hear(self.shards)).with_output_types(
            tuple[str, ProfileTally], places=tuple[str, tuple[int, Note]]
        ).with_outputs("places", main="said")
        tallies = heard.said | "sum" >> beam.CombinePerKey(SumProfiles())  # type: ignore[no-untyped-call]
        corpus = tallies | "contexts" >> beam.Values() | "corpus" >> beam.CombineGlobally(SumContexts())  # type: ignore[no-untyped-call]
        profiles = tallies | "profiles" >> beam.Map(_profile, beam.pvalue.AsSingleton(corpus)).with_output_types(
            Profile
        )
        blocks = (
            profiles
            | "keys" >> beam.FlatMap(_in_blocks).with_output_types(tuple[str, Card])
            | "blocks" >> beam.CombinePerKey(First(LARGEST))
        )
        by_id = profiles | "by id" >> beam.Map(_by_id).with_output_types(_KEYED)
        near = (
            {
                "profile": by_id,
                "near": blocks | "pairs" >> beam.FlatMap(_pairs).with_output_types(tuple[str, str]),
            }
            | "join profiles" >> beam.CoGroupByKey()
            | "to those near" >> beam.FlatMap(_to_near).with_output_types(_KEYED)
        )
        wanted = (
            {"profile": by_id, "near": near}
            | "join near" >> beam.CoGroupByKey()
            | "match" >> beam.FlatMap(_matches, self.model).with_output_types(tuple[str, Match])
        )
        settled = wanted | "Settle" >> Settle()
        notes = (
            {
                "place": heard.places,
                "centre": settled["joined"] | "moved" >> beam.Map(_moved).with_output_types(tuple[str, str]),
            }
            | "join places" >> beam.CoGroupByKey()
            | "notes" >> beam.FlatMap(_notes).with_output_types(tuple[int, Note])
        )
        merges = settled["joined"] | "merges" >> beam.Map(_row).with_output_types(MergedNode)
        found = (
            profiles | "before" >> beam.Map(lambda _: BEFORE).with_output_types(str),
            blocks | "cut" >> beam.FlatMap(_cut).with_output_types(str),
            settled["joined"] | "reasons" >> beam.Map(lambda match: f"merged: {match.reason}").with_output_types(str),
            settled["left"],
        ) | "found" >> beam.Flatten()
        return {"notes": notes, "merges": merges, "found": found}


class Hear(beam.DoFn):
    """What a document says about its nodes, and where it has entities that may belong to others."""

    def __init__(self, shards: int) -> None:
        self.shards = shards

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield every node with what is said about it; each entity without an id with the note that would move it."""
        document, extraction = extracted
        try:
            named = named_entities(document, extraction)
            tallies = list(said(document, extraction, named))
        except Exception:
            named, tallies = [], []  # the merge meets the same document, and makes a dead letter of it
        yield from tallies
        shard = shard_of(document.id, self.shards)
        for index, entity in enumerate(named):
            if not entity.kb_ids:
                yield beam.pvalue.TaggedOutput("places", (entity.node, (shard, Note(MOVE, document.id, "", index))))


class SumProfiles(beam.CombineFn):
    """Adds up what documents say about a node."""

    def create_accumulator(self) -> ProfileTally:
        """Return an empty sum."""
        return ProfileTally()

    def add_input(self, tally: ProfileTally, more: ProfileTally) -> ProfileTally:
        """Return the sum with what one more document says."""
        tally.merge(more)
        return tally

    def merge_accumulators(self, tallies: Iterable[ProfileTally]) -> ProfileTally:
        """Return the sum of sums."""
        merged = ProfileTally()
        for tally in tallies:
            merged.merge(tally)
        return merged

    def extract_output(self, tally: ProfileTally) -> ProfileTally:
        """Return the sum."""
        return tally


class SumContexts(beam.CombineFn):
    """Adds up the context vectors of all nodes."""

    def create_accumulator(self) -> list[int]:
        """Return an empty sum."""
        return []

    def add_input(self, total: list[int], tally: ProfileTally) -> list[int]:
        """Return the sum with one more node."""
        return self.merge_accumulators([total, [] if tally.context is None else tally.context.tolist()])

    def merge_accumulators(self, totals: Iterable[list[int]]) -> list[int]:
        """Return the sum of sums."""
        merged: NDArray[np.int64] | None = None
        for total in totals:
            merged = added(merged, np.array(total, np.int64) if total else None)
        return [] if merged is None else merged.tolist()

    def extract_output(self, total: list[int]) -> list[int]:
        """Return the sum."""
        return total


class First(beam.CombineFn):
    """The first cards of a block, at most so many, and how many there are: (number, cards)."""

    def __init__(self, most: int) -> None:
        self.most = most

    def create_accumulator(self) -> tuple[int, list[Card]]:
        """Return an empty block."""
        return 0, []

    def add_input(self, block: tuple[int, list[Card]], card: Card) -> tuple[int, list[Card]]:
        """Return the block with one more card."""
        return self.merge_accumulators([block, (1, [card])])

    def merge_accumulators(self, blocks: Iterable[tuple[int, list[Card]]]) -> tuple[int, list[Card]]:
        """Return the first cards of several blocks."""
        number, cards = 0, list[Card]()
        for more, others in blocks:
            number += more
            cards += others
        return number, cards if len(cards) <= self.most else nsmallest(self.most, cards, key=order)

    def extract_output(self, block: tuple[int, list[Card]]) -> tuple[int, list[Card]]:
        """Return the block."""
        return block


_KEYED = tuple[str, bytes]


def _profile(summed: tuple[str, ProfileTally], corpus: list[int]) -> Profile:
    id, tally = summed
    return tally.profile(id, np.array(corpus, np.int64) if corpus else None)


def _by_id(profile: Profile) -> tuple[str, bytes]:
    return profile.id, encode(profile)


def _in_blocks(profile: Profile) -> list[tuple[str, Card]]:
    own = card(profile)
    return [(key, own) for key in sorted(keys(profile))]


def _pairs(block: tuple[str, tuple[int, list[Card]]]) -> Iterator[tuple[str, str]]:
    """Yield each pair in both directions, since each node looks at all that it may be."""
    key, (_, cards) = block
    for one, other in pairs(key, cards):
        yield one, other
        yield other, one


def _cut(block: tuple[str, tuple[int, list[Card]]]) -> list[str]:
    _, (number, cards) = block
    return [CUT] if number > len(cards) else []


def _to_near(group: tuple[str, Mapping[str, Iterable[Any]]]) -> Iterator[tuple[str, bytes]]:
    _, joined = group
    for profile in joined["profile"]:
        for other in set(joined["near"]):
            yield other, profile


def _matches(group: tuple[str, Mapping[str, Iterable[bytes]]], model: Weights) -> Iterator[tuple[str, Match]]:
    id, joined = group
    near = [decode(data, Profile) for data in joined["near"]]
    for data in joined["profile"]:
        for match in matches(decode(data, Profile), near, model):
            yield id, match


def _moved(match: Match) -> tuple[str, str]:
    return match.member, match.centre


def _notes(group: tuple[str, Mapping[str, Iterable[Any]]]) -> Iterator[tuple[int, Note]]:
    _, joined = group
    for centre in joined["centre"]:
        for shard, note in joined["place"]:
            yield shard, Note(note.kind, note.key, centre, note.entity)


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
