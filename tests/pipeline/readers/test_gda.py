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


def test_wrong_lines_become_dead_letters(tmp_path):
    lines = [
        f"17\t{TEXT}\t{PAIR}\textra",
        f"x\t{TEXT}\t{PAIR}",
        f"18\t{TEXT}\t" + PAIR.replace("0:5", "0:50").replace("1:6", "1:60"),
        f"19\t{TEXT}\t" + PAIR.replace("0:5", "0:a"),
        f"20\t{TEXT}\t" + PAIR.replace("1:GDA:2", "GDA"),
        f"21\t{TEXT}\t{PAIR}",
    ]
    items = read_all(write(tmp_path / "gda.data", "\n".join(lines)), "gda")
    details = [item.detail for item in letters(items)]
    for detail, words in zip(details, ["20 columns", "'x'", "50:60", "'0:a'", "'GDA'"], strict=True):
        assert words in detail
    assert [document.id for document in documents(items)] == ["gda:21"]
