"""The hypernym filter on chemical-disease pairs."""

import pytest

from extractors.evaluation import MeshTree, MeshTreeError, Score, evaluate
from schemas.document import Fact
from schemas.relation_schema import load_relation_schema

from .sample import document, entity, extraction

SCHEMA = load_relation_schema("cdr")

# Heart disease is above flutter; heart disease stands at two places; salt is above table salt; "C14.28" is no ancestor.
TREE = """Tree Number\tDesc Ui\tTerm
C14.280\tD1\theart disease
C23.100\tD1\theart disease
C14.280.067\tD2\tflutter
C10.100\tD3\theadache
D01.200\tD8\tsalt
D01.200.300\tD9\ttable salt
"""


@pytest.fixture
def tree(tmp_path):
    path = tmp_path / "tree.txt"
    path.write_text(TREE, "utf-8")
    return MeshTree.read(path)


def chemical(position, *ids):
    return entity((position, position + 1), type="Chemical", kb_ids=ids)


def disease(position, *ids):
    return entity((position, position + 1), type="Disease", kb_ids=ids)


ENTITIES = (
    chemical(0, "mesh:D8"),
    chemical(1, "mesh:D9"),
    disease(2, "mesh:D1"),
    disease(3, "mesh:D2"),
    disease(4, "mesh:D3", "mesh:D1"),
)
WORDS = ["salt table-salt heart-disease flutter headache"]


def filtered(gold_pairs, predicted_pairs, tree):
    gold = document("d", WORDS, ENTITIES, tuple(Fact(head, "CID", tail) for head, tail in gold_pairs))
    found = extraction("d", ENTITIES, tuple(Fact(head, "CID", tail) for head, tail in predicted_pairs))
    scores = evaluate([gold], [found], SCHEMA, mesh_tree=tree).relations
    assert scores.overall.predicted == len(predicted_pairs)
    return scores.without_hypernyms


def test_a_wrong_pair_with_a_more_general_disease_does_not_count(tree):
    assert filtered([(1, 3)], [(1, 3), (1, 2)], tree) == Score(1, 1, 1)


def test_one_of_several_ids_is_enough(tree):
    assert filtered([(1, 3)], [(1, 4)], tree) == Score(1, 0, 0)


def test_a_wrong_pair_with_a_more_general_chemical_does_not_count(tree):
    assert filtered([(1, 3)], [(0, 3)], tree) == Score(1, 0, 0)


def test_both_more_general_at_once_counts_as_wrong(tree):
    assert filtered([(1, 3)], [(0, 2)], tree) == Score(1, 1, 0)


def test_a_more_special_disease_counts_as_wrong(tree):
    assert filtered([(1, 2)], [(1, 3)], tree) == Score(1, 1, 0)


def test_a_gold_pair_stays_even_when_it_is_more_general(tree):
    assert filtered([(1, 3), (1, 2)], [(1, 2)], tree) == Score(2, 1, 1)


def test_other_documents_do_not_matter(tree):
    gold = [
        document("a", WORDS, ENTITIES, (Fact(1, "CID", 3),)),
        document("b", WORDS, ENTITIES, (Fact(0, "CID", 4),)),
    ]
    found = [extraction("a", ENTITIES), extraction("b", ENTITIES, (Fact(1, "CID", 2),))]
    assert evaluate(gold, found, SCHEMA, mesh_tree=tree).relations.without_hypernyms == Score(2, 1, 0)


def test_predicted_entities_take_the_ids_of_the_gold_entity_with_equal_mentions(tree):
    gold = document("d", WORDS, ENTITIES, (Fact(1, "CID", 3),))
    blind = (chemical(1), disease(2), disease(3))
    found = extraction("d", blind, (Fact(0, "CID", 1), Fact(0, "CID", 2)))
    scores = evaluate([gold], [found], SCHEMA, mesh_tree=tree).relations
    assert scores.overall == Score(1, 2, 1)
    assert scores.without_hypernyms == Score(1, 1, 1)


def test_tree_numbers_and_ancestors(tree):
    assert tree.numbers_of(["mesh:D1", "mesh:-1"]) == {"C14.280", "C23.100"}
    assert tree.ancestors_of(["mesh:D2"]) == {"C14.280", "C14"}


def test_a_missing_file_and_a_broken_line_are_named(tmp_path):
    with pytest.raises(MeshTreeError, match=r"no MeSH tree at .*nowhere"):
        MeshTree.read(tmp_path / "nowhere")
    broken = tmp_path / "broken.txt"
    broken.write_text("header\nC14 D1\n", "utf-8")
    with pytest.raises(MeshTreeError, match="line 2"):
        MeshTree.read(broken)
