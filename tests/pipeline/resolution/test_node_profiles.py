from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from pipeline.merging.findings import named_entities
from pipeline.resolution.node_profiles import SAMPLE, ProfileTally, profile_tallies, sample
from schemas import Entity, Extraction, Fact, Mention
from tests.pipeline.made import document


def tally(number: int, values: list[int]) -> ProfileTally:
    made = ProfileTally(support=1, documents={f"d{number}"}, aliases={f"a{value}" for value in values})
    made.names[f"n{number % 3}"] = 1
    made.types["PER"] = number
    return made


@given(st.lists(st.lists(st.integers(-128, 127), min_size=2, max_size=50), min_size=1, max_size=8), st.randoms())
def test_parts_of_a_profile_add_up_in_any_order(parts, chance):
    def total(order):
        made = ProfileTally()
        for number in order:
            made.merge(tally(number, parts[number]))
        return made.profile("x")

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


def test_what_a_document_says():
    text = document("d", "Ada Lovelace met Charles Babbage. Ada wrote.")
    ada, babbage = Mention(0, 2), Mention(3, 5)
    entities = (Entity((ada, Mention(6, 7)), "PER"), Entity((babbage,), "PER", ("wiki:Charles Babbage",)))
    found = Extraction("d", entities, (Fact(0, "with", 1),))
    named = named_entities(text, found)
    profiles = {id: tally.profile(id) for id, tally in profile_tallies(text, found, named)}
    first, second = profiles[named[0].node], profiles[named[1].node]
    assert (first.name, first.kb_id, first.support) == ("Ada Lovelace", "", 1)
    assert first.aliases == ("Ada", "Ada Lovelace")
    assert first.neighbours == (second.id,)
    assert second.kb_id == "wiki:Charles Babbage"
