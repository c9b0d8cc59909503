import pytest

from sinks.property_graph import Names, node_label, quoted, relationship_types
from tests.sinks.graphs import SCHEMA, Graph, make_node


@pytest.mark.parametrize(
    ("type", "label"),
    [
        ("PER", "PER"),
        ("Cell line", "Cell_line"),
        ("a.b", "a_b"),
        ("", "Entity_"),
        ("`)", "Entity_"),
        ("document", "document_"),
        ("שם", "שם"),
        ("NUL\0x", "NUL_x"),
    ],
)
def test_node_labels_hold_word_characters_only(type, label):
    assert node_label(type) == label


def test_a_relationship_type_gives_way_to_a_node_label():
    types = relationship_types(SCHEMA, ("Country", "PER"))
    assert types["P17"] == "COUNTRY_"
    assert types["P19"] == "PLACE_OF_BIRTH"


def test_types_that_differ_only_in_case_share_a_label(tmp_path):
    tables = Graph([make_node("A", "Gene"), make_node("B", "gene"), make_node("C", "per")]).write(tmp_path)
    labels = Names.of(tables, SCHEMA).labels
    assert (labels["Gene"], labels["gene"]) == ("Gene", "Gene")
    assert (labels["PER"], labels["per"]) == ("PER", "PER")


def test_names_in_statements_are_quoted():
    assert quoted("a`b") == "`a``b`"
