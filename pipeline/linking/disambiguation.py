"""Entity disambiguation: the candidate that an entity denotes, with its probability, or none of them.

A conditional logit model: candidate c of an entity has the weight exp(w . f(c)), "none of them" the weight 1, and
probabilities are shares of these weights. The weights are fitted on hidden links (docs/explanation/linking.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec

from pipeline.linking.aliases import AliasCandidates, AliasCounts, page_targets, unlinked_entities
from pipeline.linking.target_profiles import TargetProfile
from pipeline.merging.findings import DECIMALS
from pipeline.merging.naming import knowledge_base_ids
from pipeline.store.headings import listed_targets
from schemas import Document, Extraction, normalise_name

# What a candidate is measured by: a constant; over the forms of the entity the mean share of their uses that are for it
# and, of these, that the dictionary counts; the logarithm of its uses by the best form; whether a form is its title or
# redirects to it, is spelled like the title, is the title without what distinguishes it, or that of a disambiguation
# page that lists it; how many documents call it so that link it otherwise; the share of forms that may be it; how well
# the types agree; whether the document links to it elsewhere, or is listed under it.
FEATURES = (
    "bias", "commonness", "prior", "uses", "title", "spelling", "qualified", "listed", "forms", "agreeing",
    "type", "in document", "heading",
)  # fmt: skip
_PAGE = "wiki:"


class LinkingModel(msgspec.Struct, frozen=True):
    """Fitted weights.

    Attributes:
        pages: by feature, for candidates that are pages of an encyclopedia.
        terms: by feature, for entries of vocabularies and dictionaries.
        cut: the least probability of a link.
    """

    pages: dict[str, float]
    terms: dict[str, float]
    cut: float

    def score(self, target: str, features: Sequence[float]) -> float:
        """Return the logarithm of the weight of a candidate."""
        weights = self.pages if target.startswith(_PAGE) else self.terms
        return sum(weights[name] * value for name, value in zip(FEATURES, features, strict=True))


@cache
def linking_model() -> LinkingModel:
    """Return the weights that come with factmill."""
    data = (resources.files("pipeline.linking") / "weights.json").read_bytes()
    return msgspec.json.decode(data, type=LinkingModel)


class ScoredCandidate(NamedTuple):
    """A candidate of an entity.

    Attributes:
        target: the entry of the knowledge base.
        features: values in the order of `FEATURES`.
        source: the most reliable source of the alias.
    """

    target: str
    features: tuple[float, ...]
    source: str


class EntityLink(NamedTuple):
    """The link of an entity of a document.

    Attributes:
        entity: number of the entity.
        option: the candidate that it denotes.
        probability: the probability of the candidate.
        others: (candidate, probability) for the other candidates, the most probable first.
    """

    entity: int
    option: ScoredCandidate
    probability: float
    others: tuple[tuple[str, float], ...]


@dataclass
class CorpusStatistics:
    """Alias counts and target profiles of a corpus, as far as some documents need them.

    Attributes:
        candidates: by the key of an alias.
        profiles: by target.
    """

    candidates: dict[str, AliasCandidates] = field(default_factory=dict)
    profiles: dict[str, TargetProfile] = field(default_factory=dict)


def scored_candidates(
    document: Document, extraction: Extraction, known: CorpusStatistics
) -> dict[int, list[ScoredCandidate]]:
    """Return the candidates of every entity without a knowledge-base id, by its number, sorted by target."""
    elsewhere = page_targets(document)
    ids = [knowledge_base_ids(document, entity) for entity in extraction.entities]
    elsewhere.update(*ids)
    headings = listed_targets(document)
    found: dict[int, list[ScoredCandidate]] = {}
    for number, keys in unlinked_entities(document, extraction, ids):
        candidates = [known.candidates[key] for key in keys if key in known.candidates]
        by_target: dict[str, list[tuple[AliasCounts, float]]] = {}
        for of_form in candidates:
            for candidate in of_form.best:
                by_target.setdefault(candidate.target, []).append((candidate.alias, of_form.uses))
        entity = extraction.entities[number]
        spelled = {normalise_name(document.span_text(mention.start, mention.end)) for mention in entity.mentions}
        found[number] = []
        for target, aliases in sorted(by_target.items()):
            profile = known.profiles.get(target, TargetProfile())
            best = max((alias for alias, _ in aliases), key=lambda alias: (alias.uses, alias.titles, alias.redirects))
            features = (
                1.0,
                sum(alias.uses / uses for alias, uses in aliases if uses) / len(keys),
                sum(alias.prior / uses for alias, uses in aliases if uses) / len(keys),
                math.log1p(best.anchors + best.headings),
                float(any(alias.titles or alias.redirects for alias, _ in aliases)),
                float(normalise_name(target.removeprefix(_PAGE)) in spelled),
                float(any(alias.qualified for alias, _ in aliases)),
                float(any(alias.listed for alias, _ in aliases)),
                math.log1p(max(alias.forms for alias, _ in aliases)),
                len(aliases) / len(keys),
                profile.agreement(entity.type),
                float(target in elsewhere),
                float(target in headings),
            )
            found[number].append(ScoredCandidate(target, features, _source([alias for alias, _ in aliases])))
    return found


def _source(aliases: Sequence[AliasCounts]) -> str:
    """Return the most reliable source of an alias."""
    total = sum(aliases[1:], aliases[0])
    names = {
        "dictionary": total.prior,
        "links": total.anchors,
        "headings": total.headings,
        "titles": total.titles + total.redirects,
        "disambiguation": total.listed + total.qualified,
        "other forms": total.forms,
    }
    return next(name for name, count in names.items() if count)


def probabilities(options: Sequence[ScoredCandidate], weights: LinkingModel) -> list[float]:
    """Return the probability of each candidate; the remainder to 1 is the probability of none of them."""
    scores = [weights.score(option.target, option.features) for option in options]
    highest = max((0.0, *scores))
    shares = [math.exp(score - highest) for score in scores]
    total = math.exp(-highest) + sum(shares)
    return [share / total for share in shares]


def select_links(options: Mapping[int, Sequence[ScoredCandidate]], weights: LinkingModel) -> list[EntityLink]:
    """Return the links of all entities with a candidate at least as probable as the cut."""
    links = []
    for number, candidates in options.items():
        if candidates:
            ranked = sorted(
                zip(candidates, probabilities(candidates, weights), strict=True),
                key=lambda pair: (pair[1], pair[0].target),
                reverse=True,
            )
            (best, chance), *rest = ranked
            if chance >= weights.cut:
                others = tuple((option.target, round(other, DECIMALS)) for option, other in rest)
                links.append(EntityLink(number, best, round(chance, DECIMALS), others))
    return links
