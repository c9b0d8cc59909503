"""Choose the extractors to average: greedy model soups (Wortsman et al. 2022, recipe 1).

The mean of the weights of networks that descend from one is often better than each, and costs nothing in use. Greedy
soups start with the best one and add another one if the mean does not get worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def greedy_soup(
    names: Sequence[str], score: Callable[[Sequence[str]], float]
) -> tuple[list[str], list[tuple[list[str], float]]]:
    """Return the networks whose mean is best, and everything that was tried with its score.

    Args:
        names: the networks.
        score: how good the mean of some of them is.
    """
    tried = [([name], score([name])) for name in dict.fromkeys(names)]
    ranked = sorted(tried, key=lambda item: -item[1])  # stable: of equal ones the first goes first
    chosen, best = ranked[0]
    for [name], _ in ranked[1:]:
        more = [*chosen, name]
        value = score(more)
        tried.append((more, value))
        if value >= best:
            chosen, best = more, value
    return chosen, tried
