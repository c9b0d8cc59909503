"""Matching of two nodes: features of their profiles, and a logistic model of the probability that they match.

The weights are data: `weights.json` in this package, fitted by `factmill fit resolution` on nodes whose links show
whether they denote the same thing.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

import msgspec
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.fuzz import token_set_ratio, token_sort_ratio

from pipeline.resolution.names import (
    acronyms,
    folded,
    in_brackets,
    initials_agree,
    is_acronym,
    is_common,
    letters,
    stems,
    tokens,
    unlike,
)
from pipeline.resolution.node_profiles import NodeProfile

# Decimals of features and scores.
DECIMALS = 4

FEATURES = (
    "same letters",
    "same words",
    "Jaro-Winkler",
    "token sort",
    "token set",
    "contained",
    "unlike words",
    "initials",
    "acronym",
    "single word",
    "common noun",
    "brackets",
    "letters",
    "name is alias",
    "shared aliases",
    "shared neighbours",
    "together",
)


class MatchModel(msgspec.Struct, frozen=True):
    """The logistic model.

    Attributes:
        bias: log odds of a pair whose features are all zero.
        weights: what a feature of one adds to the log odds, by its name.
        threshold: the least probability of a match.
    """

    bias: float
    weights: dict[str, float]
    threshold: float


@cache
def match_model() -> MatchModel:
    """Return the weights that come with factmill."""
    data = (resources.files("pipeline.resolution") / "weights.json").read_bytes()
    return msgspec.json.decode(data, type=MatchModel)


def features(one: NodeProfile, other: NodeProfile) -> tuple[float, ...]:
    """Return the features of a pair, as `FEATURES` names them; the same in either order."""
    if other.id < one.id:
        one, other = other, one
    left, right = tokens(one.name), tokens(other.name)
    a, b = " ".join(left), " ".join(right)
    own, others = {folded(alias) for alias in one.aliases}, {folded(alias) for alias in other.aliases}
    found = (
        float(letters(one.name) == letters(other.name)),
        float(stems(one.name) == stems(other.name)),
        JaroWinkler.similarity(a, b),
        token_sort_ratio(a, b) / 100,
        token_set_ratio(a, b) / 100,
        float(set(left) < set(right) or set(right) < set(left)),
        unlike(one.name, other.name),
        float(initials_agree(one.name, other.name)),
        float(_abbreviates(one.name, other.name) or _abbreviates(other.name, one.name)),
        float(min(len(left), len(right)) == 1),
        float(is_common(one.name) or is_common(other.name)),
        float(in_brackets(one.name) != in_brackets(other.name)),
        math.log1p(min(len(a), len(b))),
        float(folded(one.name) in others) + float(folded(other.name) in own),
        len(own & others) / len(own | others),
        math.log1p(len(set(one.neighbours) & set(other.neighbours))),
        len(set(one.documents) & set(other.documents)) / min(len(one.documents), len(other.documents)),
    )
    return tuple(round(value, DECIMALS) for value in found)


def probability(values: tuple[float, ...], model: MatchModel) -> float:
    """Return the probability that two nodes match."""
    terms = (model.weights[name] * value for name, value in zip(FEATURES, values, strict=True))
    odds = math.fsum((model.bias, *terms))
    return round(1 / (1 + math.exp(-odds)), DECIMALS)


def reason(values: tuple[float, ...]) -> str:
    """Return the relation between two names in a few words."""
    value = dict(zip(FEATURES, values, strict=True))
    if value["same letters"]:
        return "same letters"
    if value["same words"]:
        return "same words"
    if value["acronym"]:
        return "acronym"
    if value["initials"]:
        return "initials"
    if value["contained"]:
        return "part of the name"
    return "alias" if value["name is alias"] else "like spelling"


def _abbreviates(short: str, name: str) -> bool:
    return is_acronym(short) and letters(short) in acronyms(name)
