import bz2
import io
import zipfile

import pytest

from pipeline.readers import Part, read, read_path, split
from pipeline.readers.streams.archives import ArchiveError, members, open_file
from schemas import DeadLetter, Document
from tests.pipeline.readers.files import documents, dump, letters, page, write

py7zr = pytest.importorskip("py7zr")

FILES = {
    "deep/one.jsonl": b'{"id": "1", "text": "Words of one."}\n',
    "two.xml.bz2": bz2.compress(dump(page("Two", "Words of two.")).encode()),
    "three.txt": b"Words of three. " * 40_000,
    "empty.txt": b"",
    "sums.txt": b"d41d8cd98f00b204e9800998ecf8427e  three.txt\n",
    ".hidden": b"x",
    "__MACOSX/two.txt": b"x",
}


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def seven_zipped(path, files):
    with py7zr.SevenZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writef(io.BytesIO(data), name)
    return path


@pytest.fixture(params=[zipped, seven_zipped], ids=["zip", "7z"])
def pack(request):
    return request.param


def test_members_are_sources_of_their_own(tmp_path, pack):
    path = pack(tmp_path / "corpus.dat", FILES)
    items = list(read_path(path))
    found = {document.source: document for document in documents(items)}
    assert sorted(found) == ["corpus.dat/deep/one.jsonl", "corpus.dat/three.txt", "corpus.dat/two.xml.bz2"]
    assert found["corpus.dat/deep/one.jsonl"].id == "1"
    assert found["corpus.dat/two.xml.bz2"].id == "wiki:Two"
    assert found["corpus.dat/three.txt"].title == "three"
    assert len(found["corpus.dat/three.txt"].text) == len(FILES["three.txt"])
    [letter] = letters(items)
    assert (letter.document_id, letter.reason) == ("corpus.dat/sums.txt", "looks like a list of checksums")
    assert str(tmp_path) not in letter.detail


def test_the_format_and_the_prefix_hold_for_members(tmp_path, pack):
    path = pack(tmp_path / "a", {"x/one": FILES["deep/one.jsonl"]})
    [part] = split(path, "jsonl", id_prefix="file")
    assert [item.id for item in read(part)] == ["a/x/one:1"]
    assert isinstance(part, Part)


@pytest.mark.parametrize("pack_one", [zipped, seven_zipped])
def test_damage_is_a_dead_letter(tmp_path, pack_one):
    data = bytearray(pack_one(tmp_path / "a", {"one.txt": bytes(range(32, 127)) * 999}).read_bytes())
    data[60:70] = b"\xff" * 10
    items = list(read_path(write(tmp_path / "b", bytes(data))))
    assert letters(items)
    with pytest.raises(ArchiveError, match="damaged"):
        split(write(tmp_path / "c", bytes(data[: len(data) // 2])))


def test_an_office_document_is_no_archive_of_sources(tmp_path):
    path = zipped(tmp_path / "a.docx", {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    assert members(path) == []
    [letter] = split(path)
    assert isinstance(letter, DeadLetter)
    assert "Office" in letter.reason


def test_names_that_lead_out_of_the_archive_stay_inside(tmp_path):
    write(tmp_path / "secret.txt", "Secret words.")
    names = {"../secret.txt": b"Words of one.", "/secret.txt": b"Words of two."}
    path = zipped(tmp_path / "a.zip", names)
    texts = {item.text for item in read_path(path) if isinstance(item, Document)}
    assert texts == {"Words of one.", "Words of two."}


def test_what_is_not_there_is_not_found(tmp_path, pack):
    path = pack(tmp_path / "a", {"one.txt": b"x"})
    with pytest.raises(FileNotFoundError):
        open_file(path / "two.txt")


def test_a_reader_that_stops_early_leaves_no_thread(tmp_path):
    import threading

    before = threading.active_count()
    path = seven_zipped(tmp_path / "a.7z", {"one.txt": bytes(range(32, 127)) * 99_999})
    with open_file(path / "one.txt") as file:
        assert file.read(10) == bytes(range(32, 42))
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(5)
    assert threading.active_count() == before


def test_without_the_library_a_7z_archive_is_refused_with_the_remedy(tmp_path, monkeypatch):
    import sys

    path = seven_zipped(tmp_path / "a.7z", {"one.txt": b"x"})
    monkeypatch.setitem(sys.modules, "py7zr", None)
    with pytest.raises(ArchiveError, match=r"factmill\[7z\]"):
        split(path)
