"""Entity linking as Beam transforms: count aliases over the corpus, send each shard its candidates, disambiguate.

Shards request the aliases of their entities and receive hints: the best candidates of each alias and the profile of
each candidate. A worker holds at most one bucket of aliases or targets, or the hints of one shard. A shard requests an
alias once, however many of its documents have it, so the most frequent alias is sent at most once to each shard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from operator import add, ior
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from pipeline.beam.bucketed_group_by_key import BucketedGroupByKey, ValueType, buckets_for
from pipeline.beam.counters import Counted
from pipeline.beam.live_counts import LiveCounter
from pipeline.linking.aliases import (
    AliasCandidates,
    AliasCounts,
    Candidate,
    alias_counts,
    alias_key,
    redirect_alias,
    unlinked_entities,
)
from pipeline.linking.dictionary import DictionaryEntry, ReadDictionary, has_dictionary
from pipeline.linking.disambiguation import (
    FEATURES,
    CorpusStatistics,
    EntityLink,
    linking_model,
    scored_candidates,
    select_links,
)
from pipeline.linking.target_profiles import TargetProfile, profile_counts
from pipeline.merging.findings import DECIMALS
from pipeline.merging.naming import knowledge_base_ids
from pipeline.store.shard_updates import LINK, ShardUpdate, with_links
from pipeline.store.store import Store, shard_of
from pipeline.store.store_transforms import EveryShard, ReadStore, ResolvedRedirects, read_updated_shard
from schemas import DeadLetter, Document, Entity, Extraction, LinkedEntity, Record
from schemas.text.clean import visible

_ALIAS = tuple[str, dict[str, AliasCounts]]
_PROFILE = tuple[str, TargetProfile]
_REQUEST = tuple[str, set[int]]
# Rejected candidates that a row lists at most.
_OTHERS = 3


class ShardHint(Record, frozen=True, array_like=True):
    """What a shard receives for its entities: the candidates of an alias, or the profile of a target."""

    key: str
    candidates: AliasCandidates | None = None
    profile: TargetProfile | None = None


def has_targets(store: Store) -> bool:
    """Return whether there is anything to link to: a link, a heading or a dictionary."""
    return bool(store.info.linked) or has_dictionary(store)


@dataclass(eq=False)
class LinkEntities(beam.PTransform[Any, Any]):
    """(shard, redirect) updates to a dict of PCollections.

    - `updates`: (shard, update) pairs that link entities.
    - `links`: a row for every link.
    - `counts`: (key, number) pairs.
    - `extracted`: all (document, extraction) pairs with their links.

    Attributes:
        store: where documents and extractions are.
        tally: counts documents for the display of progress.
    """

    store: Store
    tally: LiveCounter | None = None

    def expand(self, redirects: Any) -> dict[str, Any]:
        """Apply to a PCollection of (shard, update) pairs."""
        pipeline, shards = redirects.pipeline, self.store.info.shards
        buckets = buckets_for(shards)
        opened = (redirects,) | "Open" >> ReadStore(self.store, self.tally)
        collected = opened.extracted | "collect" >> beam.ParDo(CollectAliases(shards)).with_output_types(
            _ALIAS, profiles=_PROFILE, requests=_REQUEST
        ).with_outputs("profiles", "requests", main="aliases")
        aliases, profiles = [collected.aliases], [collected.profiles]
        if self.store.info.redirects:
            titles = pipeline | "Names" >> ResolvedRedirects(self.store)
            aliases.append(titles | "titles" >> beam.FlatMap(_titled))
        if has_dictionary(self.store):
            entries = pipeline | "Dictionary" >> ReadDictionary(self.store)
            aliases.append(entries | "dictionary aliases" >> beam.Map(DictionaryEntry.alias_count))
            profiles.append(entries | "dictionary types" >> beam.Map(DictionaryEntry.type_count))
        candidates = (
            (tuple(aliases), collected.requests)
            | "aliases"
            >> BucketedGroupByKey(buckets, ValueType(dict[str, AliasCounts], _added), ValueType(set[int], ior))
            | "candidates" >> beam.FlatMap(_candidates).with_outputs("requests", main="hints")
        )
        target_hints = (
            (tuple(profiles), candidates.requests)
            | "profiles" >> BucketedGroupByKey(buckets, ValueType(TargetProfile, add), ValueType(set[int], ior))
            | "profile hints" >> beam.FlatMap(_profiles)
        )
        kinds: dict[str, Any] = {
            "updates": tuple[int, ShardUpdate],
            "links": LinkedEntity,
            "counts": Counted,
        }
        linked = (
            ((redirects, pipeline | "every shard" >> EveryShard(self.store)), (candidates.hints, target_hints))
            | "by shard" >> BucketedGroupByKey(shards, ValueType(ShardUpdate), ValueType(ShardHint))
            | "disambiguate"
            >> beam.ParDo(DisambiguateShard(self.store))
            .with_output_types(tuple[Document, Extraction], **kinds)
            .with_outputs(*kinds, main="extracted")
        )
        return {name: linked[name] for name in ("extracted", *kinds)}


class CollectAliases(beam.DoFn):
    """A document with its extraction to its alias counts, and by tag its target `profiles` and the `requests` of its
    shard."""

    def __init__(self, shards: int) -> None:
        self.shards = shards

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield (alias, {target: count}), (target, profile) and (alias, {shard})."""
        document, extraction = extracted
        try:
            aliases = [(alias_key(text), target, alias) for text, target, alias in alias_counts(document, extraction)]
            profiles = list(profile_counts(document, extraction))
            ids = [knowledge_base_ids(document, entity) for entity in extraction.entities]
            requests = {key for _, keys in unlinked_entities(document, extraction, ids) for key in keys}
        except Exception:
            aliases, profiles, requests = [], [], set()  # `DisambiguateShard` counts the failed document
        for key, target, alias in aliases:
            if key:
                yield key, {target: alias}
        for profile in profiles:
            yield beam.pvalue.TaggedOutput("profiles", profile)
        shard = shard_of(document.id, self.shards)
        for key in requests:
            yield beam.pvalue.TaggedOutput("requests", (key, {shard}))


class DisambiguateShard(beam.DoFn):
    """A shard with its hints to documents with linked entities, and by tag `updates`, `links` and `counts`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.links = Metrics.counter("factmill.link", "links")

    def process(self, group: tuple[int, list[ShardUpdate], list[ShardHint]]) -> Iterator[Any]:
        """Yield documents with their extractions, and by tag (shard, update) pairs, rows and counts."""
        number, redirects, hints = group
        known = CorpusStatistics()
        for hint in hints:
            if hint.candidates is not None:
                known.candidates[hint.key] = hint.candidates
            elif hint.profile is not None:
                known.profiles[hint.key] = hint.profile
        words: Counter[str] = Counter()
        for item in read_updated_shard(self.store, number, redirects):
            if isinstance(item, DeadLetter):
                continue
            document, extraction = item
            try:
                options = scored_candidates(document, extraction, known)
                links = select_links(options, linking_model())
            except Exception:
                words["in documents that failed"] += len(extraction.entities)
                yield document, extraction
                continue  # the merge fails on it as well and writes its dead letter
            updates = {
                link.entity: ShardUpdate(LINK, document.id, link.option.target, link.entity, link.probability)
                for link in links
            }
            yield document, with_links(extraction, updates)
            for link in links:
                words[f"by {link.option.source}"] += 1
                yield beam.pvalue.TaggedOutput("updates", (number, updates[link.entity]))
                yield beam.pvalue.TaggedOutput("links", _row(document, extraction.entities[link.entity], link))
            self.links.inc(len(links))
            words["by the source"] += len(extraction.entities) - len(options)
            open_entities = sum(map(bool, options.values()))
            words["no candidate is likely"] += open_entities - len(links)
            words["no candidate"] += len(options) - open_entities
        for word, count in (+words).items():
            yield beam.pvalue.TaggedOutput("counts", (("linked", word), count))


def _added(one: dict[str, AliasCounts], other: dict[str, AliasCounts]) -> dict[str, AliasCounts]:
    for target, alias in other.items():
        one[target] = one[target] + alias if target in one else alias
    return one


def _candidates(group: tuple[str, dict[str, AliasCounts] | None, set[int] | None]) -> Iterator[Any]:
    """Yield (shard, hint) for the shards that request an alias, and by tag a request of each candidate's profile."""
    key, aliases, shards = group
    if aliases and shards:
        candidates = AliasCandidates.of(Candidate(target, alias) for target, alias in aliases.items())
        for shard in shards:
            yield shard, ShardHint(key, candidates=candidates)
        for candidate in candidates.best:
            yield beam.pvalue.TaggedOutput("requests", (candidate.target, set(shards)))


def _profiles(group: tuple[str, TargetProfile | None, set[int] | None]) -> Iterator[tuple[int, ShardHint]]:
    target, profile, shards = group
    if profile is not None:
        for shard in shards or ():
            yield shard, ShardHint(target, profile=profile)


def _row(document: Document, entity: Entity, link: EntityLink) -> LinkedEntity:
    first = min(entity.mentions, key=lambda mention: (mention.start, mention.end))
    features = zip(FEATURES, link.option.features, strict=True)
    return LinkedEntity(
        document=document.id,
        start=document.tokens[first.start][0],
        end=document.tokens[first.end - 1][1],
        name=visible(document.span_text(first.start, first.end)),
        target=link.option.target,
        probability=link.probability,
        source=link.option.source,
        features=tuple((name, round(value, DECIMALS)) for name, value in features if value),
        others=link.others[:_OTHERS],
    )


def _titled(redirect: tuple[str, str]) -> Iterator[tuple[str, dict[str, AliasCounts]]]:
    text, target, alias = redirect_alias(*redirect)
    if key := alias_key(text):
        yield key, {target: alias}
