import pytest

from pipeline.readers.pubtator.concept_ids import concepts
from pipeline.readers.pubtator.reader import NO_MENTION, STRAY
from pipeline.readers.reader_errors import MISPLACED
from schemas import Fact
from tests.pipeline.readers.files import documents, letters, read_all, write

TITLE = "Lithium-induced tremor"
ABSTRACT = "Salt lithium caused brain and heart damage. Later a rash of unknown kind, a Rash again."


def line(text, type, ids, occurrence=0):
    whole = f"{TITLE}\n{ABSTRACT}"
    start = -1
    for _ in range(occurrence + 1):
        start = whole.index(text, start + 1)
    return f"1\t{start}\t{start + len(text)}\t{text}\t{type}\t{ids}"


def block(*lines, id="1"):
    head = f"{id}|t|{TITLE}\n{id}|a|{ABSTRACT}\n"
    return head + "".join(f"{item}\n" for item in lines) + "\n"


GOOD = block(
    line("Lithium", "Chemical", "D008094"),
    line("tremor", "Disease", "D014202"),
    line("lithium", "Chemical", "D008094"),
    line("brain and heart damage", "Disease", "D001|D002") + "\tbrain damage|heart damage",
    line("rash", "Disease", "-1"),
    line("Rash", "Disease", "-1"),
    "1\tCID\tD008094\tD014202",
    "1\tCID\tD008094\tD002",
)


def test_mentions_cluster_by_id(tmp_path):
    [document] = documents(read_all(write(tmp_path / "a.txt", GOOD)))
    assert document.id == "pubtator:1"
    assert document.title == TITLE
    found = {
        entity.kb_ids: [document.span_text(m.start, m.end) for m in entity.mentions] for entity in document.entities
    }
    assert found == {
        ("mesh:D008094",): ["Lithium", "lithium"],
        ("mesh:D014202",): ["tremor"],
        ("mesh:D001",): ["brain and heart damage"],
        ("mesh:D002",): ["brain and heart damage"],
        (): ["rash", "Rash"],
    }
    assert document.facts == (Fact(0, "CID", 1), Fact(0, "CID", 3))


def test_the_title_ends_a_sentence(tmp_path):
    [document] = documents(read_all(write(tmp_path / "a.txt", GOOD)))
    start, end = document.sentences[0]
    assert document.span_text(start, end) == TITLE


def test_without_annotations_entities_are_none(tmp_path):
    first, second = documents(
        read_all(write(tmp_path / "a.txt", block() + GOOD.replace("1|", "2|").replace("1\t", "2\t")))
    )
    assert first.entities is None
    assert second.entities is not None


def test_vocabularies(tmp_path):
    text = block(
        line("Lithium", "Chemical", "MESH:D008094"), line("brain", "Gene", "12;13"), line("Salt", "Species", "9606")
    )
    [document] = documents(read_all(write(tmp_path / "a.txt", text)))
    ids = sorted(kb_id for entity in document.entities for kb_id in entity.kb_ids)
    assert ids == ["mesh:D008094", "ncbigene:12", "ncbigene:13", "ncbitaxon:9606"]


def test_what_is_wrong_in_a_record_costs_itself_and_is_named(tmp_path):
    wrong = [
        ("1\t0\t7\tSodium\tChemical\tD1", MISPLACED, "Sodium"),
        ("1\t0\t900\tLithium\tChemical\tD1", MISPLACED, "0:900"),
        ("1\t-3\t7\tLithium\tChemical\tD1", MISPLACED, "-3"),
        ("1\t15\t26\ttremor\nSalt\tChemical\tD1".replace("\n", " "), MISPLACED, "15:26"),
        ("1\tCID\tD008094\tD99", NO_MENTION, "'D99'"),
        ("1\tsome\twords", "line that PubTator does not know", "some"),
    ]
    for words, reason, detail in wrong:
        good = line("Lithium", "Chemical", "D008094")
        items = read_all(write(tmp_path / "a.txt", block(good, words)), "pubtator")
        [document], [letter] = documents(items), letters(items)
        assert [entity.kb_ids for entity in document.entities] == [("mesh:D008094",)]
        assert (letter.document_id, letter.reason) == ("pubtator:1", reason)
        assert detail in letter.detail
        assert "line 4" in letter.detail


def test_records_need_no_blank_lines_between_them_and_may_have_some_inside(tmp_path):
    tight = "".join(
        block(line("Lithium", "Chemical", f"D00000{id}"), id=id).rstrip("\n").replace("1\t", f"{id}\t", 1) + "\n"
        for id in ("1", "2", "3")
    )
    loose = tight.replace("\n", "\n\n")
    for content in (tight, loose, "# exported yesterday\n" + tight, tight.replace("\n", "\r\n")):
        found = documents(read_all(write(tmp_path / "a.txt", content)))
        assert [item.id for item in found] == ["pubtator:1", "pubtator:2", "pubtator:3"]
        assert [item.entities[0].kb_ids for item in found] == [(f"mesh:D00000{n}",) for n in (1, 2, 3)]


def test_annotations_of_another_record_do_not_join_this_one(tmp_path):
    items = read_all(write(tmp_path / "a.txt", block("7\t0\t7\tLithium\tChemical\tD1", "7\tCID\tD1\tD2")))
    assert documents(items)[0].entities is None
    [letter] = letters(items)
    assert (letter.document_id, letter.reason) == ("pubtator:7", STRAY)
    assert "2 annotations" in letter.detail


def test_a_text_over_two_lines_is_one_and_other_texts_follow(tmp_path):
    [document] = documents(
        read_all(
            write(tmp_path / "a.txt", "4|t|Salt.\n4|a|It tastes\nbitter.\n4|b|Results.\n4\t21\t27\tbitter\tX\tD1\n")
        )
    )
    assert document.text == "Salt.\nIt tastes\nbitter.\nResults."
    assert documents(read_all(write(tmp_path / "a.txt", "4|t|Salt.\n4|a|-No abstract-\n")))[0].text == "Salt.\n"


def test_blanks_may_stand_for_tabs(tmp_path):
    content = block(line("Lithium", "Chemical", "D008094")).replace("\t", "    ")
    [document] = documents(read_all(write(tmp_path / "a.txt", content)))
    assert [entity.kb_ids for entity in document.entities] == [("mesh:D008094",)]


@pytest.mark.parametrize("unit", ["utf-16-le", "utf-8"])
def test_offsets_in_other_units_are_recognised_where_the_mentions_agree(tmp_path, unit):
    title, words = "The 🧪 of Ångström", ("🧪", "Ångström", "salt")
    text = f"{title}\nHe added salt."
    size = {"utf-16-le": 2, "utf-8": 1}[unit]
    lines = []
    for word in words:
        start = len(text[: text.index(word)].encode(unit)) // size
        lines.append(f"5\t{start}\t{start + len(word.encode(unit)) // size}\t{word}\tThing\tT:{len(lines)}\n")
    content = f"5|t|{title}\n5|a|He added salt.\n" + "".join(lines)
    items = read_all(write(tmp_path / "a.txt", content))
    [document] = documents(items)
    assert letters(items) == []
    found = [document.span_text(m.start, m.end) for entity in document.entities for m in entity.mentions]
    assert found == list(words)
    # One that is wrong in every unit costs itself; one that is right in characters only speaks against other units.
    items = read_all(write(tmp_path / "a.txt", content + "5\t0\t3\tsalt\tThing\tT:9\n"))
    assert len(letters(items)) == 1
    start = text.index("added")
    items = read_all(write(tmp_path / "a.txt", content + f"5\t{start}\t{start + 5}\tadded\tThing\tT:9\n"))
    assert len(documents(items)[0].entities) == 1
    assert len(letters(items)) == 3


FAMILIES = {
    "CDR": [
        ("Chemical", "D008094", [("mesh:D008094",)]),
        ("Disease", "D006470|D003556", [("mesh:D006470",), ("mesh:D003556",)]),
        ("Disease", "D006470|-1", [("mesh:D006470",)]),
    ],
    "BioRED": [
        ("GeneOrGeneProduct", "351,11820", [("ncbigene:351",), ("ncbigene:11820",)]),
        ("DiseaseOrPhenotypicFeature", "D002971,145001", [("mesh:D002971",), ("omim:145001",)]),
        ("ChemicalEntity", "-", [()]),
        ("SequenceVariant", "c|DEL|1314_1328|", [("tmvar:c|DEL|1314_1328|",)]),
        ("SequenceVariant", "rs1695", [("dbsnp:rs1695",)]),
        ("OrganismTaxon", "9606", [("ncbitaxon:9606",)]),
        ("CellLine", "CVCL_0030", [("cellosaurus:CVCL_0030",)]),
    ],
    "tmVar": [
        ("DNAMutation", "c|SUB|G|512|A", [("tmvar:c|SUB|G|512|A",)]),
        ("ProteinMutation", "p|FS|Y|329||", [("tmvar:p|FS|Y|329||",)]),
        ("ProteinMutation", "p|SUB|V|17|M;RS#:1994", [("tmvar:p|SUB|V|17|M", "dbsnp:rs1994")]),
        ("ProteinMutation", "p|SUB|V|17|M; RSID:1994", [("tmvar:p|SUB|V|17|M", "dbsnp:rs1994")]),
        ("SNP", "rs7626##", [("dbsnp:rs7626",)]),
        ("Gene", "4129(Tax:9606);12", [("ncbigene:4129",), ("ncbigene:12",)]),
    ],
    "PubTator 3": [
        (
            "Mutation",
            "tmVar:c|SUB|T|2|C;HGVS:c.2T>C;VariantGroup:0;CorrespondingGene:111;RS#:55;CorrespondingSpecies:9606;CA#:77",
            [("tmvar:c|SUB|T|2|C", "dbsnp:rs55", "clingen:CA77")],
        ),
        ("Mutation", "rs55;HGVS:p.V6E;VariantGroup:0;CorrespondingGene:673", [("dbsnp:rs55",)]),
        ("Chemical", "MESH:D008094", [("mesh:D008094",)]),
        ("CellLine", "CVCL:0030", [("cellosaurus:CVCL_0030",)]),
        ("Disease", "OMIM:611;MESH:D1234567", [("omim:611",), ("mesh:D1234567",)]),
    ],
}


@pytest.mark.parametrize(
    ("type", "ids", "expected"), [case for cases in FAMILIES.values() for case in cases], ids=lambda value: str(value)
)
def test_ids_of_every_family_are_what_the_file_means(tmp_path, type, ids, expected):
    [document] = documents(read_all(write(tmp_path / "a.txt", block(line("Lithium", type, ids)))))
    assert [entity.kb_ids for entity in document.entities] == expected


@pytest.mark.parametrize("ids", ["c|SUB|G|5|A", "p.V600E|note", "some;odd,thing", "c.5G>A"])
def test_an_id_that_is_no_list_stays_whole(ids):
    assert [concept.id.partition(":")[2] for concept in concepts(ids, "DNAMutation")] == [ids]


def test_details_of_variants_are_kept(tmp_path):
    ids = "tmVar:c|SUB|T|2|C;HGVS:c.2T>C;CorrespondingGene:111"
    [document] = documents(read_all(write(tmp_path / "a.txt", block(line("Salt", "Mutation", ids)))))
    assert ("variant", "tmvar:c|SUB|T|2|C;HGVS:c.2T>C;CorrespondingGene:111") in document.metadata


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ("D008094", "D014202"),
        ("MESH:D008094", "D014202"),
        ("Chemical|MESH:D008094", "Disease|MESH:D014202"),
        ("D008094", "c|SUB|G|5|A"),
    ],
)
def test_relations_may_name_ids_with_or_without_vocabulary_and_type(tmp_path, head, tail):
    content = block(
        line("Lithium", "Chemical", "D008094"),
        line("tremor", "DNAMutation", tail) if "SUB" in tail else line("tremor", "Disease", "MESH:D014202"),
        f"1\tAssociation\t{head}\t{tail}\tNovel",
    )
    items = read_all(write(tmp_path / "a.txt", content))
    assert documents(items)[0].facts == (Fact(0, "Association", 1),)
    assert letters(items) == []


def test_a_relation_of_several_ids_holds_for_each(tmp_path):
    content = block(
        line("Lithium", "Chemical", "D008094"),
        line("brain and heart damage", "Disease", "D000001|D000002"),
        "1\tAssociation\tD008094\tD000001|D000002\tNo",
    )
    [document] = documents(read_all(write(tmp_path / "a.txt", content)))
    assert document.facts == (Fact(0, "Association", 1), Fact(0, "Association", 2))


def test_a_gzip_cut_in_half_gives_what_is_readable_and_one_dead_letter(tmp_path):
    import gzip
    import random

    noise = random.Random(1)
    blocks = []
    for number in range(200):
        words = " ".join(f"{noise.random():.12f}" for _ in range(20))
        blocks.append(f"{number}|t|{words}\n{number}|a|{words}\n\n")
    data = gzip.compress("".join(blocks).encode())
    items = read_all(write(tmp_path / "a.txt.gz", data[: len(data) // 2]))
    assert 80 < len(documents(items)) < 120
    assert len(letters(items)) == 1
