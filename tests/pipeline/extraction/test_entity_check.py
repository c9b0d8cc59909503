import pytest

from pipeline.dead_letters import BuildError
from pipeline.extraction.entity_check import check_given_entities
from pipeline.reading import Reading

ANNOTATED = "1|t|Aspirin\n1|a|It hurts.\n1\t0\t7\tAspirin\tChemical\tD1\n\n"
BARE = "2|t|Aspirin\n2|a|It hurts.\n\n"


def test_documents_without_entities_are_refused(tmp_path):
    (tmp_path / "a.pubtator").write_text(BARE)
    (tmp_path / "b.txt").write_text("Nothing is annotated.")
    with pytest.raises(BuildError, match=r"'tiny' relates given entities .* use a joint checkpoint"):
        check_given_entities(sorted(tmp_path.iterdir()), Reading(), "tiny")


def test_one_annotated_document_among_others_is_enough(tmp_path):
    (tmp_path / "a.txt").write_text("Nothing is annotated.")
    (tmp_path / "b.pubtator").write_text(BARE + ANNOTATED)
    check_given_entities(sorted(tmp_path.iterdir()), Reading(), "tiny")


def test_a_file_that_cannot_be_read_is_left_to_the_build(tmp_path):
    (tmp_path / "b.pubtator").write_text(ANNOTATED)
    check_given_entities([tmp_path / "absent", tmp_path / "b.pubtator"], Reading(), "tiny")
