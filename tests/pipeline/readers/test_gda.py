import pytest

from pipeline.readers.reader_errors import MISPLACED
from schemas import Fact
from tests.pipeline.readers.files import documents, letters, read_all, write

GENE = ["4129", "MAOB|MAOB", "Gene", "0:5", "1:6", "0:1"]
DISEASE = ["D010300", "PD", "Disease", "3", "4", "0"]
PAIR = "\t".join(["1:GDA:2", "L2R", "CROSS", "0-1", "4-5", *GENE, *DISEASE])
NEGATIVE = PAIR.replace("GDA", "NR").replace("D010300", "D013915").replace("\t3\t4\t0", "\t7\t8\t1")
TEXT = "MAOB is in PD .|The MAOB gene GT ."


def test_entities_of_all_pairs_and_positive_facts(tmp_path):
    [document] = documents(read_all(write(tmp_path / "gda.data", f"17\t{TEXT}\t{PAIR}\t{NEGATIVE}\n")))
    assert document.id == "gda:17"
    assert document.title == "MAOB is in PD ."
    assert [entity.kb_ids for entity in document.entities] == [("ncbigene:4129",), ("mesh:D010300",), ("mesh:D013915",)]
    spans = [[(m.start, m.end) for m in entity.mentions] for entity in document.entities]
    assert spans == [[(0, 1), (5, 6)], [(3, 4)], [(7, 8)]]
    assert [entity.type for entity in document.entities] == ["Gene", "Disease", "Disease"]
    assert document.facts == (Fact(0, "GDA", 1),)
    assert document.sentences == ((0, 5), (5, 10))


@pytest.mark.parametrize(
    ("line", "reasons", "facts"),
    [
        (f"17\t{TEXT}\t{PAIR}\textra", ["wrong number of columns"], 1),
        (f"17\t{TEXT}\t" + PAIR.replace("0:5", "0:50").replace("1:6", "1:60"), [MISPLACED], 1),
        (f"17\t{TEXT}\t" + PAIR.replace("0:5", "0:a"), ["mentions are not readable", "fact without mention"], 0),
        (f"17\t{TEXT}\t" + PAIR.replace("1:GDA:2", "GDA"), ["pair is not readable"], 0),
    ],
)
def test_what_is_wrong_in_a_pair_costs_itself(tmp_path, line, reasons, facts):
    items = read_all(write(tmp_path / "gda.data", f"{line}\n21\t{TEXT}\t{PAIR}\n"), "gda")
    first, last = documents(items)
    assert (first.id, last.id) == ("gda:17", "gda:21")
    assert first.text == last.text
    assert len(first.facts) == facts
    assert [letter.reason for letter in letters(items)] == reasons
    assert {letter.document_id for letter in letters(items)} == {"gda:17"}


def test_a_line_without_id_or_sentences_is_a_dead_letter(tmp_path):
    items = read_all(write(tmp_path / "gda.data", f"x\t{TEXT}\t{PAIR}\n18\n21\t{TEXT}\t{PAIR}\n"), "gda")
    assert [letter.reason for letter in letters(items)] == ["id is no PubMed id", "no sentences"]
    assert [document.id for document in documents(items)] == ["gda:21"]
