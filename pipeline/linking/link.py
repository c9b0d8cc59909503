"""Linking in Beam: what every document knows about aliases goes to the shards that meet them, which then decide.

No worker holds more than one bucket of aliases or targets, or what one shard asks for: of every alias that its entities
have the best candidates, and of every candidate one profile. Shards ask once, however many of their documents do, so
the most frequent alias is sent no more often than there are shards.
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
_ASKED = tuple[str, set[int]]
# Candidates that were not chosen, of those that a row names.
_OTHERS = 3


class ShardHint(Record, frozen=True, array_like=True):
    """What a shard is told: the candidates of an alias, or the profile of a target."""

    key: str
    candidates: AliasCandidates | None = None
    profile: TargetProfile | None = None


def has_targets(store: Store) -> bool:
    """Return whether there is anything to link to: a link, a heading or a dictionary."""
    return bool(store.info.linked) or has_dictionary(store)


@dataclass(eq=False)
class LinkEntities(beam.PTransform[Any, Any]):
    """(shard, note) pairs with redirects to `notes` that link entities, their rows `links`, their `counts`, and
    `extracted`, all (document, extraction) pairs, their entities linked.

    Attributes:
        store: where documents and extractions are.
        tally: counts documents, where somebody watches.
    """

    store: Store
    tally: LiveCounter | None = None

    def expand(self, redirects: Any) -> dict[str, Any]:
        """Apply to a PCollection of (shard, note) pairs."""
        pipeline, shards = redirects.pipeline, self.store.info.shards
        buckets = buckets_for(shards)
        opened = (redirects,) | "Open" >> ReadStore(self.store, self.tally)
        heard = opened.extracted | "hear" >> beam.ParDo(CollectAliases(shards)).with_output_types(
            _ALIAS, profiles=_PROFILE, asked=_ASKED
        ).with_outputs("profiles", "asked", main="aliases")
        aliases, profiles = [heard.aliases], [heard.profiles]
        if self.store.info.redirects:
            titles = pipeline | "Names" >> ResolvedRedirects(self.store)
            aliases.append(titles | "titles" >> beam.FlatMap(_titled))
        if has_dictionary(self.store):
            entries = pipeline | "Dictionary" >> ReadDictionary(self.store)
            aliases.append(entries | "said aliases" >> beam.Map(DictionaryEntry.alias_count))
            profiles.append(entries | "said types" >> beam.Map(DictionaryEntry.type_count))
        told = (
            (tuple(aliases), heard.asked)
            | "aliases"
            >> BucketedGroupByKey(buckets, ValueType(dict[str, AliasCounts], _added), ValueType(set[int], ior))
            | "tell candidates" >> beam.FlatMap(_candidates).with_outputs("asked", main="told")
        )
        of_targets = (
            (tuple(profiles), told.asked)
            | "profiles" >> BucketedGroupByKey(buckets, ValueType(TargetProfile, add), ValueType(set[int], ior))
            | "tell profiles" >> beam.FlatMap(_profiles)
        )
        kinds: dict[str, Any] = {
            "notes": tuple[int, ShardUpdate],
            "links": LinkedEntity,
            "counts": Counted,
        }
        decided = (
            ((redirects, pipeline | "every shard" >> EveryShard(self.store)), (told.told, of_targets))
            | "by shard" >> BucketedGroupByKey(shards, ValueType(ShardUpdate), ValueType(ShardHint))
            | "decide"
            >> beam.ParDo(DisambiguateShard(self.store))
            .with_output_types(tuple[Document, Extraction], **kinds)
            .with_outputs(*kinds, main="extracted")
        )
        return {name: decided[name] for name in ("extracted", *kinds)}


class CollectAliases(beam.DoFn):
    """A document with its extraction to what it says about aliases, and by tag about `profiles`, and the aliases that
    its shard asks for."""

    def __init__(self, shards: int) -> None:
        self.shards = shards

    def process(self, extracted: tuple[Document, Extraction]) -> Iterator[Any]:
        """Yield (alias, {target: count}), (target, profile) and (alias, {shard})."""
        document, extraction = extracted
        try:
            aliases = [(alias_key(text), target, alias) for text, target, alias in alias_counts(document, extraction)]
            profiles = list(profile_counts(document, extraction))
            ids = [knowledge_base_ids(document, entity) for entity in extraction.entities]
            asked = {key for _, keys in unlinked_entities(document, extraction, ids) for key in keys}
        except Exception:
            aliases, profiles, asked = [], [], set()  # `Decide` meets the same document, and counts it
        for key, target, alias in aliases:
            if key:
                yield key, {target: alias}
        for profile in profiles:
            yield beam.pvalue.TaggedOutput("profiles", profile)
        shard = shard_of(document.id, self.shards)
        for key in asked:
            yield beam.pvalue.TaggedOutput("asked", (key, {shard}))


class DisambiguateShard(beam.DoFn):
    """A shard with what it was told to notes about what its entities stand for, and by tag counts of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.links = Metrics.counter("factmill.link", "links")

    def process(self, group: tuple[int, list[ShardUpdate], list[ShardHint]]) -> Iterator[Any]:
        """Yield documents with their extractions, and by tag (shard, note), rows and counts."""
        number, redirects, all_told = group
        known = CorpusStatistics()
        for told in all_told:
            if told.candidates is not None:
                known.candidates[told.key] = told.candidates
            elif told.profile is not None:
                known.profiles[told.key] = told.profile
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
                continue  # the merge meets it too, and makes a dead letter of what it cannot use
            notes = {
                link.entity: ShardUpdate(LINK, document.id, link.option.target, link.entity, link.probability)
                for link in links
            }
            yield document, with_links(extraction, notes)
            for link in links:
                words[f"by {link.option.source}"] += 1
                yield beam.pvalue.TaggedOutput("notes", (number, notes[link.entity]))
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
    """Yield (shard, told) for those that ask for an alias, and by tag (target, shards that ask for its profile)."""
    key, aliases, shards = group
    if aliases and shards:
        candidates = AliasCandidates.of(Candidate(target, alias) for target, alias in aliases.items())
        for shard in shards:
            yield shard, ShardHint(key, candidates=candidates)
        for candidate in candidates.best:
            yield beam.pvalue.TaggedOutput("asked", (candidate.target, set(shards)))


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
