import gzip

import pytest

from pipeline.readers import Part, read, read_path, sniff
from pipeline.readers.records import document_file
from schemas import Document, Entity, Fact, Mention, Section
from tests.pipeline.readers.files import check, write

FULL = Document(
    id="note:1",
    source="notes",
    title="Curie",
    text="Curie lived in Paris.",
    tokens=((0, 5), (6, 11), (12, 14), (15, 20), (20, 21)),
    sentences=((0, 5),),
    mentions=(Mention(0, 1, "PER", ("wiki:Marie Curie",)),),
    entities=(Entity((Mention(0, 1),), "PER"), Entity((Mention(3, 4),), "LOC", ("wiki:Paris",))),
    facts=(Fact(0, "P551", 1, 1.0, (0,)),),
    sections=(Section("Life", 0),),
    metadata=(("language", "en"),),
    version=3,
)


@pytest.fixture
def path(tmp_path):
    with document_file.DocumentFile(tmp_path / document_file.FILE_NAME) as file:
        for _ in range(2):
            file.write(FULL)
    assert file.count == 2
    return file.path


def test_everything_of_a_document_is_kept(path):
    assert sniff(path) == "documents"
    assert list(read_path(path, id_prefix="file")) == [FULL, FULL]
    assert list(read_path(write(path, gzip.compress(path.read_bytes())))) == [FULL, FULL]


def test_damage_is_a_dead_letter(path):
    data = path.read_bytes()
    cut = list(read(Part(str(write(path, data[:-3])), "documents")))
    assert cut[0] == FULL
    assert cut[1].detail == "document 2: the file is cut short: write the file again"
    [other] = read(Part(str(write(path, "Marie Curie was born in Warsaw.")), "documents"))
    assert "this is no file of documents" in other.detail
    broken = bytearray(data)
    broken[len(document_file.MARK) + 4] = 0
    check(found := list(read(Part(str(write(path, bytes(broken))), "documents"))))
    assert found[0].reason == "record breaks the format"
    assert found[1] == FULL


def test_a_document_that_contradicts_itself_is_a_dead_letter(path):
    wrong = FULL.__class__(**{**{f: getattr(FULL, f) for f in FULL.__struct_fields__}, "sentences": ((0, 9),)})
    write(path, document_file.MARK + document_file.framed(wrong) + document_file.framed(FULL))
    first, second = read_path(path)
    assert (first.document_id, first.reason) == ("note:1", "annotation does not fit the text")
    assert second == FULL
