from hypothesis import given
from hypothesis import strategies as st

from pipeline.resolution.clustering import Match, matches, order, preference, star_clusters
from tests.pipeline.resolution.made import MODEL, profile

NODES = st.lists(
    st.builds(
        lambda name, kb, aliases, support, type: profile(
            name, type, kb_id=kb, aliases=tuple(sorted({name, *aliases})), support=support
        ),
        st.sampled_from(["Ada", "Áda", "ADA.", "Bob", "Böb", "Cy"]),
        st.sampled_from(["", "", "", "wiki:A", "wiki:B"]),
        st.sets(st.sampled_from(["Ada", "Bob", "Cy"])),
        st.integers(1, 3),
        st.sampled_from(["PER", "PER", "LOC"]),
    ),
    max_size=9,
    unique_by=lambda node: node.id,
)


def clusters(nodes, iterations=9):
    return star_clusters({node.id: matches(node, nodes, MODEL) for node in nodes}, iterations)


@given(NODES, st.randoms())
def test_the_order_of_nodes_does_not_matter(nodes, chance):
    shuffled = nodes[:]
    chance.shuffle(shuffled)
    assert clusters(nodes) == clusters(shuffled)


@given(NODES)
def test_the_guard(nodes):
    joined, left = clusters(nodes)
    by_id = {node.id: node for node in nodes}
    assert left == 0
    for member, match in joined.items():
        own, centre = by_id[member], by_id[match.centre]
        assert not own.kb_id  # so no cluster has two ids
        assert own.type == centre.type
        assert centre.id not in joined  # so all of a cluster match its centre
        assert order(centre) < order(own)
        assert match in matches(own, nodes, MODEL)
        assert match.score >= MODEL.threshold


@given(NODES)
def test_what_was_joined_has_nothing_left_to_join_of_its_own_name(nodes):
    joined, _ = clusters(nodes)
    again, _ = clusters([node for node in nodes if node.id not in joined])
    assert not again or all(match.reason == "alias" for match in again.values())


@given(NODES)
def test_with_fewer_iterations_fewer_nodes_join(nodes):
    whole, _ = clusters(nodes)
    some, left = clusters(nodes, iterations=1)
    assert some.items() <= whole.items()
    assert len(whole) - len(some) <= left


def test_a_name_of_two_rivals_joins_neither():
    short = profile("Smith")
    john = profile("John Smith", kb_id="wiki:John", aliases=("John Smith", "Smith"))
    jane = profile("Jane Smith", kb_id="wiki:Jane", aliases=("Jane Smith", "Smith"))
    assert [match.centre for match in matches(short, [john], MODEL)] == [john.id]
    assert matches(short, [john, jane], MODEL) == []


def test_chains_join_nothing():
    def match(member, centre, score=0.95):
        return Match(member, centre, member, "PER", 1, (), score, "alias", ())

    joined, left = star_clusters(
        {"c": [match("c", "b")], "b": [match("b", "a")], "d": [match("d", "b"), match("d", "a", 0.9)]}
    )
    assert {member: found.centre for member, found in joined.items()} == {"b": "a", "d": "a"}
    assert left == 0
    assert preference(match("d", "b")) < preference(match("d", "a", 0.9))
