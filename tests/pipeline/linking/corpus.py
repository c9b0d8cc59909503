"""A small corpus with ambiguous names, and what linking finds in it, in memory and one document after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.linking.aliases import AliasCandidates, AliasCounts, Candidate, alias_counts, alias_key, redirect_alias
from pipeline.linking.disambiguation import CorpusStatistics, linking_model, scored_candidates, select_links
from pipeline.linking.target_profiles import TargetProfile, profile_counts
from pipeline.store.redirects import apply_redirects
from pipeline.store.store import Store, complete, extracted_row, kb_ids, other_row, shard_name, shard_of, write_shard
from schemas import Document, Extraction, Redirect
from tests.pipeline.made import document
from tests.rule_extractor import RuleFeatures, extract

REDIRECTS = {"wiki:UK": "wiki:U.K.", "wiki:U.K.": "wiki:United Kingdom", "wiki:GB": "wiki:United Kingdom"}
PAGES = (
    document("wiki:Luton", "Luton is in England.", {"Luton": "wiki:Luton", "England": "wiki:England"}),
    document("wiki:Ann Bolt", "Ann Bolt is in Luton. Bolt met Bob.", {"Ann Bolt": "wiki:Ann Bolt"}),
    document(
        "wiki:A", "Ann Bolt is in the UK. Mercury is here.", {"UK": "wiki:UK", "Mercury": "wiki:Mercury (planet)"}
    ),
    document("wiki:B", "Mercury met Venus.", {"Mercury": "wiki:Mercury (planet)", "Venus": "wiki:Venus"}),
    document("wiki:C", "Mercury met Ann Bolt.", {"Mercury": "wiki:Mercury (god)"}),
    document("wiki:D", "Mercury is in Luton. Zebra met Mercury. The UK is in GB."),
    document("wiki:E", "Luton met Venus. Nobody met Zebra."),
)


def extracted(pages: Iterable[Document] = PAGES) -> list[tuple[Document, Extraction]]:
    """Documents with what the rules find in them."""
    return [(page, extract(RuleFeatures(page, tuple(page.words())))) for page in pages]


def store_of(
    folder: Path, items: Iterable[tuple[Document, Extraction]], redirects: Mapping[str, str], shards: int
) -> Store:
    """A store on disk, in so many shards."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [extracted_row(*item) for item in items]
    rows += [other_row(Redirect(alias, target, "f")) for alias, target in redirects.items()]
    for number in range(shards):
        write_shard([row for row in rows if shard_of(row.id, shards) == number], folder / shard_name(number, shards))
    return Store(folder, complete(folder, {}, "0"))


def expected_links(
    items: Iterable[tuple[Document, Extraction]], redirects: Mapping[str, str]
) -> dict[tuple[str, int], tuple[str, float]]:
    """What linking must find: (document, entity) to (target, probability)."""
    final = dict(redirects)
    for alias in final:
        while final[alias] in redirects:
            final[alias] = redirects[final[alias]]
    opened = [
        apply_redirects(page, found, {id: final[id] for id in kb_ids(page) if id in final}) for page, found in items
    ]
    said = [redirect_alias(*pair) for pair in final.items()]
    profiles: defaultdict[str, TargetProfile] = defaultdict(TargetProfile)
    for item in opened:
        said += alias_counts(*item)
        for target, profile in profile_counts(*item):
            profiles[target] += profile
    aliases: defaultdict[str, defaultdict[str, AliasCounts]] = defaultdict(lambda: defaultdict(AliasCounts))
    for text, target, alias in said:
        aliases[alias_key(text)][target] += alias
    candidates = {
        key: AliasCandidates.of(Candidate(target, alias) for target, alias in found.items())
        for key, found in aliases.items()
    }
    known = CorpusStatistics(candidates, dict(profiles))
    return {
        (page.id, link.entity): (link.option.target, link.probability)
        for page, found in opened
        for link in select_links(scored_candidates(page, found, known), linking_model())
    }
