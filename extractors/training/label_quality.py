"""Labels of known quality, sharpened by a teacher: which of them are correct, given the share that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from extractors.inference.confidence import DIGITS
from schemas import Document

# No teacher is taken for more certain than this, nor a label once a teacher has judged it.
LEAST = 1e-3
# Beyond this shift every probability is 0 or 1.
_MOST = 50.0

# The place of a label: document, and position among its facts.
Place = tuple[int, int]


def sharpened(documents: Sequence[Document], judged: Mapping[Place, float]) -> list[Document]:
    """Return the documents with the probabilities of uncertain labels adjusted to what a teacher says of each.

    Of labels with the same probability that share is right. The teacher tells which: its odds are multiplied with one
    factor for all of them, such that the mean of the outcomes is that share.

    Args:
        documents: annotated documents.
        judged: the teacher's probability of each uncertain label.
    """
    groups: dict[float, list[Place]] = defaultdict(list)
    for place in judged:
        groups[documents[place[0]].facts[place[1]].probability].append(place)
    facts = {at: list(documents[at].facts) for at, _ in judged}
    for share, places in groups.items():
        values = shifted(np.array([judged[place] for place in places]), share)
        for (at, position), value in zip(places, values.tolist(), strict=True):
            facts[at][position] = replace(facts[at][position], probability=round(value, DIGITS))
    return [
        replace(document, facts=tuple(facts[at])) if at in facts else document for at, document in enumerate(documents)
    ]


def shifted(probabilities: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Return the probabilities with all odds multiplied by one factor, such that they have a mean."""
    z = logit(np.clip(probabilities, LEAST, 1 - LEAST))
    shift = brentq(lambda by: float(expit(z + by).mean()) - mean, -_MOST, _MOST)
    found: NDArray[np.float64] = np.clip(expit(z + shift), LEAST, 1 - LEAST)
    return found
