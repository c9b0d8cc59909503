import json

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline import readers
from pipeline.beam.live_counts import LiveCounter
from pipeline.read_documents import ReadDocuments, first_documents, read_part, split
from pipeline.readers import Part
from pipeline.reading import Reading
from schemas import DeadLetter, Document, Redirect, Skipped
from tests.pipeline.made import document, pubtator, records

TEXTS = {
    "en": "The mill beside the river was bought by the council in 1901 and has been a school ever since.",
    "de": "Die Mühle am Fluss wurde 1901 von der Gemeinde gekauft und ist seither eine Schule.",
    "?": "Mill 1901",
}
TALLY = LiveCounter("/nowhere", "read")


def ids(pipeline, path, limit, languages=()):
    read = pipeline | ReadDocuments((str(path),), Reading(), limit, languages, TALLY)
    return read.documents | beam.Map(lambda made: made.id)


def test_documents_come_from_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(pubtator(records(5)))
    with beam.Pipeline("FnApiRunner") as pipeline:
        assert_that(ids(pipeline, path, None), equal_to([f"pubtator:{1000 + i}" for i in range(5)]))


def test_a_limit_takes_the_first_documents(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(pubtator(records(5)))
    with beam.Pipeline("FnApiRunner") as pipeline:
        assert_that(ids(pipeline, path, 2), equal_to(["pubtator:1000", "pubtator:1001"]))


@pytest.mark.parametrize("limit", [None, 2])
def test_only_documents_in_some_languages_are_read(tmp_path, limit):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"id": name, "text": text}) for name, text in TEXTS.items()))
    with beam.Pipeline("FnApiRunner") as pipeline:
        assert_that(ids(pipeline, path, limit, ("de", "fr")), equal_to(["de", "?"]))


def test_the_limit_counts_documents_only():
    items = [Skipped("f", "x"), document("a", "A."), Skipped("f", "x"), document("b", "B."), Skipped("f", "y")]
    assert list(first_documents(items, 2)) == items[:4]
    assert list(first_documents(items, 9)) == items


def test_a_reader_that_fails_leaves_what_it_read_and_says_where(monkeypatch):
    def broken(part):
        yield document("a", "A.")
        raise RuntimeError(f"{part.path} is bad")

    monkeypatch.setattr(readers, "read", broken)
    good, letter = read_part(Part("/far/away/b.xml", "mediawiki", 10, 20))
    assert isinstance(good, Document)
    assert (letter.source, letter.stage, letter.reason) == ("b.xml", "read", "reader failed")
    assert letter.document_id == "b.xml, bytes 10 to 20, after 1 records"
    assert letter.detail == "RuntimeError: b.xml is bad"


def test_a_file_of_no_known_format_is_one_dead_letter_that_hides_its_folder(tmp_path):
    path = tmp_path / "noise"
    path.write_bytes(bytes(range(256)))
    (letter,) = split(str(path), Reading())
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "looks like binary data"
    assert str(tmp_path) not in letter.detail
    assert list(read_part(letter)) == [letter]


def test_what_cannot_be_stored_becomes_a_dead_letter(monkeypatch):
    items = [
        document("a\ud800", "A."),
        document("b", "B.", version=2**63),
        Redirect("x\ud800", "y", "f"),
        Skipped("f", "odd \ud800"),
        DeadLetter("d", "f", "read", "bad", "\ud800"),
        document("good", "C."),
    ]
    monkeypatch.setattr(readers, "read", lambda part: iter(items))
    results = list(read_part(Part("f", "x")))
    assert [type(result) for result in results] == [DeadLetter, DeadLetter, DeadLetter, Skipped, DeadLetter, Document]
    assert [result.document_id for result in results[:3]] == ["a?", "b", "x?"]
    assert results[3].reason == "odd ?"
    assert results[4].detail == "?"
