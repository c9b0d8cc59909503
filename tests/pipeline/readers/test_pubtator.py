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


def test_wrong_records_become_dead_letters_that_name_the_value(tmp_path):
    wrong = [
        block("1\t0\t7\tSodium\tChemical\tD1"),
        block("1\t0\t900\tLithium\tChemical\tD1"),
        block("1\tCID\tD1\tD2"),
        block("some words"),
        "5\tCID\tD1\tD2\n\n",
        block("1\t-3\t7\tLithium\tChemical\tD1"),
    ]
    items = read_all(write(tmp_path / "a.txt", "".join(wrong) + GOOD), "pubtator")
    details = [item.detail for item in letters(items)]
    assert len(details) == len(wrong)
    for detail, words in zip(details, ["Sodium", "0:900", "'D1'", "some words", "title line", "-3"], strict=True):
        assert words in detail
    assert len(documents(items)) == 1


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
