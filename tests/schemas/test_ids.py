import re

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas import content_hash, edge_id, node_id, normalise_name

# Also lone surrogates, which no file can hold but a JSON escape can.
ANY_TEXT = st.text(st.characters(), max_size=20)


@given(st.lists(ANY_TEXT, max_size=4), st.lists(ANY_TEXT, max_size=4))
def test_different_parts_give_different_hashes(first, second):
    assert re.fullmatch(r"[0-9a-f]{32}", content_hash(*first))
    assert (content_hash(*first) == content_hash(*second)) == (first == second)


@given(ANY_TEXT, ANY_TEXT)
def test_parts_do_not_run_together(first, second):
    assume(second)
    assert content_hash(first, second) != content_hash(first + second)
    assert content_hash(first, second) != content_hash(first + second, "")


@given(ANY_TEXT)
def test_normalised_names_stay_as_they_are_when_normalised_again(name):
    # NFKC and case folding can undo each other in rare letters; two rounds always settle.
    once = normalise_name(normalise_name(name))
    assert normalise_name(once) == once
    assert once == once.strip()
    assert "  " not in once


def test_names_that_people_take_for_equal():
    for name in ("Ada Lovelace", "ada LOVELACE", " Ada \n Lovelace\t", "Ａｄａ Lovelace", "Ada\u00a0Lovelace"):
        assert normalise_name(name) == "ada lovelace"
    assert normalise_name("Straße") == normalise_name("STRASSE")
    assert normalise_name("Łódź") == normalise_name("Ło\u0301dz\u0301")
    assert normalise_name("Lodz") != normalise_name("Łódź")


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_a_knowledge_base_id_decides_alone_and_without_one_name_and_type_do(kb_id, name, other, type):
    assume(kb_id)
    assert node_id(kb_id, name, type) == node_id(kb_id, other, "another type")
    assert node_id(None, name, type) == node_id("", f" {name} ", type)
    assert node_id(None, name, type) != node_id(None, name, type + "x")
    assert node_id(None, name, type) != node_id(kb_id, name, type)
    assert (node_id(None, name, type) == node_id(None, other, type)) == (normalise_name(name) == normalise_name(other))


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_edges_have_a_direction(head, relation, tail):
    assume(head != tail)
    assert edge_id(head, relation, tail) != edge_id(tail, relation, head)
    assert edge_id(head, relation, tail) == edge_id(head, relation, tail)


def test_ids_stay_what_they_were():
    assert node_id("wiki:London", "London", "LOC") == "060afadf163c8a2549fa4beda0518b7e"
    assert edge_id("a", "P17", "b") == content_hash("edge", "a", "P17", "b")
