"""Linking in Beam: what every document knows about aliases goes to the shards that meet them, which then decide.

No worker holds more than what one shard asks for: of every alias that its entities have the best candidates, and of
every candidate one profile. Shards ask once, however many of their documents do, so the most frequent alias is sent no
more often than there are shards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline.accounts import Entry as Counted
from pipeline.linking.aliases import (
    Alias,
    Candidate,
    Candidates,
    alias_key,
    redirect_alias,
    said_aliases,
    unlinked,
)
from pipeline.linking.choice import FEATURES, Choice, Knowledge, choose, fitted_weights, options_of
from pipeline.linking.dictionary import Entry, ReadDictionary, has_dictionary
from pipeline.linking.profiles import ALL, Profile, said_profiles
from pipeline.merging import DECIMALS
from pipeline.naming import knowledge_base_ids
from pipeline.notes import LINK, Note
from pipeline.store import Store, shard_of
from pipeline.stored import Open, ResolvedRedirects, open_shard
from schemas import DeadLetter, Document, Entity, Extraction, LinkedEntity, Record, decode, encode

_ALIAS = tuple[tuple[str, str], Alias]
_PROFILE = tuple[str, Profile]
_ASKED = tuple[str, int]
_TOLD = tuple[int, bytes]
# Candidates that were not chosen, of those that a row names.
_OTHERS = 3


class Told(Record, frozen=True):
    """What a shard is told: the candidates of an alias, or the profile of a target."""

    key: str
    candidates: Candidates | None = None
    profile: Profile | None = None


def has_targets(store: Store) -> bool:
    """Return whether there is anything to link to: a link, a heading or a dictionary."""
    return bool(store.info.linked) or has_dictionary(store)


@dataclass(eq=False)
class Link(beam.PTransform[Any, Any]):
    """(shard, note) pairs with redirects to `notes` that link entities, their rows `links`, and `linked`, counts.

    Attributes:
        store: where documents and extractions are.
    """

    store: Store

    def expand(self, redirects: Any) -> dict[str, Any]:
        """Apply to a PCollection of (shard, note) pairs."""
        pipeline = redirects.pipeline
        opened = redirects | "Open" >> Open(self.store)
        heard = opened.extracted | "hear" >> beam.ParDo(Hear(self.store.info.shards)).with_output_types(
            _ALIAS, profiles=_PROFILE, asked=_ASKED
        ).with_outputs("profiles", "asked", main="aliases")
        aliases, profiles = [heard.aliases], [heard.profiles]
        if self.store.info.redirects:
            titles = pipeline | "Names" >> ResolvedRedirects(self.store)
            aliases.append(titles | "titles" >> beam.FlatMap(_titled).with_output_types(_ALIAS))
        if has_dictionary(self.store):
            entries = pipeline | "Dictionary" >> ReadDictionary(self.store)
            aliases.append(entries | "said aliases" >> beam.Map(Entry.said_alias).with_output_types(_ALIAS))
            profiles.append(entries | "said types" >> beam.Map(Entry.said_profile).with_output_types(_PROFILE))
        candidates = (
            aliases
            | "all aliases" >> beam.Flatten()
            | "sum aliases" >> beam.CombinePerKey(Sum(Alias)).with_output_types(_ALIAS)  # type: ignore[no-untyped-call]
            | "candidate" >> beam.MapTuple(_candidate).with_output_types(tuple[str, Candidates])
            | "best" >> beam.CombinePerKey(Sum(Candidates)).with_output_types(tuple[str, Candidates])  # type: ignore[no-untyped-call]
            | "candidates" >> beam.MapTuple(_told_candidates).with_output_types(tuple[str, bytes])
        )
        profiled = (
            profiles
            | "all profiles" >> beam.Flatten()
            | "sum profiles" >> beam.CombinePerKey(Sum(Profile)).with_output_types(_PROFILE)  # type: ignore[no-untyped-call]
            | "profile" >> beam.MapTuple(_told_profile).with_output_types(tuple[str, bytes])
        )
        told = {
            "told": candidates,
            "asked": heard.asked | "ask once" >> beam.Distinct().with_output_types(_ASKED),
        } | "of aliases" >> _Tell()
        asked = told | "targets" >> beam.FlatMap(_targets).with_output_types(_ASKED)
        everything = beam.Create([(ALL, number) for number in range(self.store.info.shards)]).with_output_types(_ASKED)
        asked = (asked, pipeline | "everything" >> everything) | "profiles asked" >> beam.Flatten()
        of_targets = {
            "told": profiled,
            "asked": asked | "ask profiles once" >> beam.Distinct().with_output_types(_ASKED),
        } | "of targets" >> _Tell()
        decided = (
            {
                "redirects": redirects | "encode" >> beam.Map(_encoded).with_output_types(_TOLD),
                "told": (told, of_targets) | "all told" >> beam.Flatten(),
            }
            | "by shard" >> beam.CoGroupByKey()
            | "decide"
            >> beam.ParDo(Decide(self.store))
            .with_output_types(tuple[int, Note], linked=tuple[Counted, int], links=LinkedEntity)
            .with_outputs("linked", "links", main="notes")
        )
        return {"notes": decided.notes, "links": decided.links, "linked": decided.linked}


class Hear(beam.DoFn):
    """A document with its extraction to what it says about aliases, and by tag about `profiles`, and the aliases that
    its shard asks for."""

    def __init__(self, shards: int) -> None:
        self.shards = shards

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield ((alias, target), count), (target, profile) and (alias, shard)."""
        document, extraction = extracted
        try:
            aliases = [((alias_key(text), target), alias) for text, target, alias in said_aliases(document, extraction)]
            profiles = list(said_profiles(document, extraction))
            asked = {key for _, keys in unlinked(document, extraction) for key in keys}
        except Exception:
            aliases, profiles, asked = [], [], set()  # `Decide` meets the same document, and counts it
        for (key, target), alias in aliases:
            if key:
                yield (key, target), alias
        for profile in profiles:
            yield beam.pvalue.TaggedOutput("profiles", profile)
        shard = shard_of(document.id, self.shards)
        for key in asked:
            yield beam.pvalue.TaggedOutput("asked", (key, shard))


class Decide(beam.DoFn):
    """A shard with what it was told to notes about what its entities stand for, and by tag counts of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.links = Metrics.counter("factmill.link", "links")

    def process(self, group: tuple[int, Mapping[str, Iterable[bytes]]]) -> Iterator[Any]:
        """Yield (shard, note), and counts."""
        number, joined = group
        known = Knowledge()
        for data in joined["told"]:
            told = decode(data, Told)
            if told.candidates is not None:
                known.candidates[told.key] = told.candidates
            elif told.profile is not None:
                known.profiles[told.key] = told.profile
        words: Counter[str] = Counter()
        for item in open_shard(self.store, number, (decode(data, Note) for data in joined["redirects"])):
            if isinstance(item, DeadLetter):
                continue
            document, extraction = item
            try:
                options = options_of(document, extraction, known)
                links = choose(options, fitted_weights())
            except Exception:
                words["in documents that failed"] += len(extraction.entities)
                continue  # the merge meets it too, and makes a dead letter of what it cannot use
            for link in links:
                words[f"by {link.option.source}"] += 1
                yield number, Note(LINK, document.id, link.option.target, link.entity, link.probability)
                yield beam.pvalue.TaggedOutput("links", _row(document, extraction.entities[link.entity], link))
            self.links.inc(len(links))
            words["by the source"] += sum(bool(knowledge_base_ids(document, entity)) for entity in extraction.entities)
            open_entities = sum(map(bool, options.values()))
            words["no candidate is likely"] += open_entities - len(links)
            words["no candidate"] += len(options) - open_entities
        for word, count in (+words).items():
            yield beam.pvalue.TaggedOutput("linked", (("linked", word), count))


class Sum(beam.CombineFn):
    """Adds up records that can be added."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind

    def create_accumulator(self) -> Any:
        """Return an empty sum."""
        return self.kind()

    def add_input(self, total: Any, item: Any) -> Any:
        """Return the sum with one more."""
        return total + item

    def merge_accumulators(self, totals: Iterable[Any]) -> Any:
        """Return the sum of sums."""
        return sum(totals, self.kind())

    def extract_output(self, total: Any) -> Any:
        """Return the sum."""
        return total


class _Tell(beam.PTransform[Any, Any]):
    """What is `told` about keys, and which shard `asked` for them, to what each shard is told."""

    def expand(self, inputs: Mapping[str, Any]) -> Any:
        joined = inputs | "join" >> beam.CoGroupByKey()
        return joined | "tell" >> beam.FlatMap(_tell).with_output_types(_TOLD)


def _tell(group: tuple[str, Mapping[str, Iterable[Any]]]) -> Iterator[tuple[int, bytes]]:
    _, joined = group
    for told in joined["told"]:
        for shard in joined["asked"]:
            yield shard, told


def _row(document: Document, entity: Entity, link: Choice) -> LinkedEntity:
    first = min(entity.mentions, key=lambda mention: (mention.start, mention.end))
    features = zip(FEATURES, link.option.features, strict=True)
    return LinkedEntity(
        document=document.id,
        start=document.tokens[first.start][0],
        end=document.tokens[first.end - 1][1],
        name=document.span_text(first.start, first.end),
        target=link.option.target,
        probability=link.probability,
        source=link.option.source,
        features=tuple((name, round(value, DECIMALS)) for name, value in features if value),
        others=link.others[:_OTHERS],
    )


def _titled(redirect: tuple[str, str]) -> Iterator[tuple[tuple[str, str], Alias]]:
    text, target, alias = redirect_alias(*redirect)
    if key := alias_key(text):
        yield (key, target), alias


def _candidate(key: tuple[str, str], alias: Alias) -> tuple[str, Candidates]:
    return key[0], Candidates.of([Candidate(key[1], alias)])


def _told_candidates(key: str, candidates: Candidates) -> tuple[str, bytes]:
    return key, encode(Told(key, candidates=candidates))


def _told_profile(target: str, profile: Profile) -> tuple[str, bytes]:
    return target, encode(Told(target, profile=profile))


def _targets(told: tuple[int, bytes]) -> Iterator[tuple[str, int]]:
    shard, data = told
    candidates = decode(data, Told).candidates
    for candidate in candidates.best if candidates else ():
        yield candidate.target, shard


def _encoded(pair: tuple[int, Note]) -> tuple[int, bytes]:
    return pair[0], encode(pair[1])
