"""Settling which nodes join which, round by round: `stars` for more nodes than a worker can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.resolution.stars import CENTRE, JOINED, OPEN, ROUNDS, Match, preference, settle
from schemas import decode, encode

# Word for a node that waited for others to the end, counted by the build.
LEFT = "left alone: at the end of a long chain"


@dataclass(eq=False)
class Settle(beam.PTransform[Any, Any]):
    """(member, match) pairs, all that nodes would join, to `joined`, one match for each that does, and words `left`."""

    rounds: int = ROUNDS

    def expand(self, wanted: Any) -> dict[str, Any]:
        """Apply to a PCollection of (member, match)."""
        done: list[Any] = []
        for number in range(1, self.rounds + 1):
            states = [
                wanted | f"open {number}" >> beam.Map(_open).with_output_types(_STATE),
                *(
                    joined | f"joined by {number}" >> beam.Map(_joined).with_output_types(_STATE)
                    for joined in done[-1:]
                ),
            ]
            centres = wanted | f"by centre {number}" >> beam.Map(_by_centre).with_output_types(_KEYED)
            settled = (
                {"wanted": centres, "state": states | f"states {number}" >> beam.Flatten()}
                | f"join states {number}" >> beam.CoGroupByKey()
                | f"with states {number}" >> beam.FlatMap(_with_state).with_output_types(tuple[str, tuple[str, bytes]])
                | f"by member {number}" >> beam.GroupByKey()
                | f"settle {number}"
                >> beam.FlatMap(_settle)
                .with_output_types(Match, open=tuple[str, Match])
                .with_outputs("open", main="joined")
            )
            wanted = settled.open
            done.append((*done[-1:], settled.joined) | f"all joined {number}" >> beam.Flatten())
        left = wanted | "left" >> beam.Keys() | "once" >> beam.Distinct() | "words" >> beam.Map(_left)
        return {"joined": done[-1], "left": left}


_STATE = tuple[str, str]
_KEYED = tuple[str, bytes]


def _open(wanted: tuple[str, Match]) -> tuple[str, str]:
    return wanted[0], OPEN


def _joined(match: Match) -> tuple[str, str]:
    return match.member, JOINED


def _by_centre(wanted: tuple[str, Match]) -> tuple[str, bytes]:
    return wanted[1].centre, encode(wanted[1])


def _with_state(group: tuple[str, Mapping[str, Iterable[Any]]]) -> Iterator[tuple[str, tuple[str, bytes]]]:
    _, joined = group
    state = next(iter(joined["state"]), CENTRE)
    for data in joined["wanted"]:
        yield decode(data, Match).member, (state, data)


def _settle(group: tuple[str, Iterable[tuple[str, bytes]]]) -> Iterator[Any]:
    member, found = group
    wanted = sorted(((decode(data, Match), state) for state, data in found), key=lambda item: preference(item[0]))
    state, match = settle(wanted)
    if match is not None:
        yield match
    elif state == OPEN:
        for match, _ in wanted:
            yield beam.pvalue.TaggedOutput("open", (member, match))


def _left(_: str) -> str:
    return LEFT
