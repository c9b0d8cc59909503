from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.merging.findings import named_entities
from pipeline.resolution.node_profiles import (
    SAMPLE,
    UNIT,
    ProfileTally,
    added,
    centred,
    counted,
    profile_tallies,
    sample,
)
from schemas import Entity, Extraction, Fact, Mention
from tests.pipeline.made import document


def total_of(*sums: int) -> bytes:
    return np.array(sums, np.int64).tobytes()


def tally(number: int, values: list[int]) -> ProfileTally:
    made = ProfileTally(support=1, documents={f"d{number}"}, aliases={f"a{value}" for value in values})
    made.names[f"n{number % 3}"] = 1
    made.types["PER"] = number
    made.context = counted(np.array(values[:2], np.int8).tobytes())
    return made


@given(st.lists(st.lists(st.integers(-128, 127), min_size=2, max_size=50), min_size=1, max_size=8), st.randoms())
def test_parts_of_a_profile_add_up_in_any_order(parts, chance):
    def total(order):
        made = ProfileTally()
        for number in order:
            made.merge(tally(number, parts[number]))
        return made.profile("x", total_of(3, 4, 7))

    order = list(range(len(parts)))
    shuffled = order[:]
    chance.shuffle(shuffled)
    assert total(order) == total(shuffled)
    assert len(total(order).aliases) <= SAMPLE


@given(st.lists(st.frozensets(st.text(max_size=3), max_size=60), min_size=1, max_size=4))
def test_a_sample_of_samples_is_the_sample_of_everything(groups):
    whole = sample(frozenset().union(*groups))
    assert sample(reduce(lambda one, other: sample(one | other), groups, frozenset())) == whole
    assert len(whole) <= SAMPLE


def test_contexts_are_centred():
    corpus = total_of(10, 10, 10)
    assert centred(b"", corpus) == b""
    assert centred(total_of(3, 3, 3), corpus) == b""
    away = np.frombuffer(centred(total_of(5, 1, 1), corpus), np.int8)
    assert away.tolist() == [UNIT, 0]
    assert added(b"", b"") == b""
    assert added(total_of(1, 2, 1), total_of(3, 4, 2)) == total_of(4, 6, 3)


def test_what_a_document_says():
    text = document("d", "Ada Lovelace met Charles Babbage. Ada wrote.")
    ada, babbage = Mention(0, 2), Mention(3, 5)
    entities = (Entity((ada, Mention(6, 7)), "PER"), Entity((babbage,), "PER", ("wiki:Charles Babbage",)))
    vectors = (bytes([1, 255]), bytes([2, 2]))
    found = Extraction("d", entities, (Fact(0, "with", 1),), vectors)
    named = named_entities(text, found)
    profiles = {id: tally.profile(id) for id, tally in profile_tallies(text, found, named)}
    first, second = profiles[named[0].node], profiles[named[1].node]
    assert (first.name, first.kb_id, first.support) == ("Ada Lovelace", "", 1)
    assert first.aliases == ("Ada", "Ada Lovelace")
    assert first.neighbours == (second.id,)
    assert second.kb_id == "wiki:Charles Babbage"
    tallies = dict(profile_tallies(text, found, named))
    assert tallies[first.id].context == total_of(1, -1, 1)
