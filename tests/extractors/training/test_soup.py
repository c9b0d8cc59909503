from extractors.training.soup import greedy_soup

WORTH = {"a": 0.4, "b": 0.6, "c": 0.5, "d": 0.1}


def score(names):
    """As if a mean were better than its parts, unless `d` is among them."""
    mean = sum(WORTH[name] for name in names) / len(names)
    return mean + (0.2 * (len(names) - 1) if "d" not in names else -1.0)


def test_the_best_comes_first_and_takes_in_what_does_not_harm():
    chosen, tried = greedy_soup(["a", "b", "c", "d"], score)
    assert chosen == ["b", "c", "a"]
    assert [names for names, _ in tried] == [
        ["a"], ["b"], ["c"], ["d"], ["b", "c"], ["b", "c", "a"], ["b", "c", "a", "d"]
    ]  # fmt: skip


def test_one_network_is_its_own_mean_and_a_name_counts_once():
    assert greedy_soup(["a"], score)[0] == ["a"]
    assert greedy_soup(["b", "b"], score)[0] == ["b"]


def test_a_worse_mean_is_not_taken():
    assert greedy_soup(["b", "d"], score)[0] == ["b"]
