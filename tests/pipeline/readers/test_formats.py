import gzip
import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.readers import FORMATS, Part, UnknownFormat, formats, plaintext, read_path, sniff, split
from schemas import DeadLetter, Document, Removal, problems
from tests.pipeline.readers import (
    test_docred,
    test_gda,
    test_pubmed,
    test_pubtator,
    test_webpage,
    test_wikiextractor,
)
from tests.pipeline.readers.files import check, counts, documents, dump, letters, page, read_all, read_part, write

SAMPLES = {
    "mediawiki": dump(page("A", "Words about [[B]]."), page("B", "More words.")),
    "pubmed": test_pubmed.medline(test_pubmed.citation("1"), test_pubmed.citation("2")),
    "pubtator": test_pubtator.GOOD * 2,
    "docred": json.dumps([test_docred.record(), test_docred.record(title="B")]),
    "gda": f"17\t{test_gda.TEXT}\t{test_gda.PAIR}\n18\t{test_gda.TEXT}\t{test_gda.PAIR}\n",
    "jsonl": '{"id": "a", "text": "Words."}\n{"id": "b", "text": "Words."}\n',
    "json": '[\n {"id": "a", "text": "Words."},\n {"id": "b", "text": "Words."}\n]',
    "csv": "id,title,text\na,A,Words.\nb,B,Words.\nc,C,\n",
    "wikiextractor": test_wikiextractor.PLAIN,
    "html": test_webpage.PAGE,
    "text": "Some words.\n\nAnd more [of them] {here}.",
}


@pytest.mark.parametrize("format", SAMPLES)
def test_the_content_tells_the_format(tmp_path, format):
    assert sniff(write(tmp_path / "a.dat", SAMPLES[format])) == format
    assert sniff(write(tmp_path / "a.dat", gzip.compress(SAMPLES[format].encode()))) == format
    found = counts(list(read_path(tmp_path / "a.dat")))
    found.pop("empty text", None)
    assert found == {"Document": 1 if format in ("text", "html") else 2}


def test_every_format_is_tested():
    assert set(FORMATS) == {*SAMPLES, "parquet"}


def test_unknown_formats_are_named_with_a_remedy(tmp_path):
    with pytest.raises(UnknownFormat, match=r"a\.bin.*mediawiki"):
        sniff(write(tmp_path / "a.bin", "[1, 2]"))
    for content in ("<?xml version='1.0'?><letter><to/></letter>", b"\x00\x01\x02"):
        with pytest.raises(UnknownFormat, match=r"a\.bin: looks like .*, which is not read: "):
            sniff(write(tmp_path / "a.bin", content))
    with pytest.raises(UnknownFormat, match=r"'word'.*mediawiki"):
        split(tmp_path / "a.bin", "word")


def test_parts_can_be_sent_to_other_processes():
    part = Part("/somewhere/a.xml", "mediawiki", 1, 2)
    assert pickle.loads(pickle.dumps(part)) == part
    assert part.source == "a.xml"


def test_plain_text(tmp_path):
    [document] = documents(read_all(write(tmp_path / "Some_notes.txt", "Some words. And\nmore.")))
    assert document.title == "Some notes"
    assert document.id.startswith("text:Some_notes.txt#")
    assert len(document.sentences) == 2
    assert counts(read_all(write(tmp_path / "empty", ""))) == {"empty text": 1}
    [wide] = documents(read_part(write(tmp_path / "wide", "Füße".encode("utf-16")), "text"))
    assert wide.text == "Füße"
    [bad] = documents(read_all(write(tmp_path / "bad", b"x \xff y")))
    assert bad.text == "x \ufffd y"
    assert bad.metadata == (("undecodable bytes", "1"),)
    [nul] = documents(read_all(write(tmp_path / "nul.txt", b"Some words\0 and more.")))
    assert nul.text == "Some words\ufffd and more."


def test_a_text_of_more_characters_than_can_be_extracted_in_an_hour_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "LONGEST_TEXT", 20)
    rows = '{"id": "a", "text": "Short words."}\n{"id": "b", "text": "These are longer words."}\n'
    [letter] = letters(read_all(write(tmp_path / "a", rows)))
    assert (letter.document_id, letter.reason) == ("b", "text too long")
    monkeypatch.setattr(plaintext, "LIMIT", 30)
    [letter] = read_all(write(tmp_path / "a.txt", "Words and more words and still more words."))
    assert letter.reason == "text too long"


@pytest.mark.parametrize(
    ("prefix", "ids"), [("file", ["a.jsonl:1", "b.jsonl:1"]), ("folder", ["here/a.jsonl:1", "here/b.jsonl:1"])]
)
def test_a_prefix_makes_ids_of_two_files_differ(tmp_path, prefix, ids):
    (tmp_path / "here").mkdir()
    found = []
    for name in ("a.jsonl", "b.jsonl"):
        path = write(tmp_path / "here" / name, f'{{"id": 1, "text": "Words of {name}."}}\n{{"id": 2}}\n{{"title": 5}}')
        items = list(read_path(path, id_prefix=prefix))
        found += [document.id for document in documents(items)]
        first, second = letters(items)
        assert first.document_id == found[-1].replace(":1", ":2")
        assert second.document_id == f"{name}, line 3"
    assert found == ids


def test_public_ids_get_no_prefix_and_an_unknown_prefix_is_a_mistake(tmp_path):
    path = write(tmp_path / "a.xml", SAMPLES["pubmed"])
    assert [item.id for item in read_path(path, id_prefix="file")] == ["pubmed:1", "pubmed:2"]
    with pytest.raises(ValueError, match=r"'day'.*file, folder"):
        split(path, id_prefix="day")


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_anywhere_never_raises_and_never_loses_silently(tmp_path_factory, format, data):
    """Cut, overwrite or repeat bytes of a sound file: what is gone must show up as a dead letter."""
    path = tmp_path_factory.getbasetemp() / f"damaged-{format}"
    sound = SAMPLES.get(format, SAMPLES["jsonl"]).encode()
    at = data.draw(st.integers(0, len(sound)))
    length = data.draw(st.integers(0, 40))
    put = data.draw(
        st.one_of(st.binary(max_size=20), st.sampled_from([b"<page>", b"</page>", b"\n\n", b"]", b"\t", b"<!--"]))
    )
    content = sound[:at] + put + sound[at + length :]
    if data.draw(st.booleans()):
        content = gzip.compress(content)
        content = content[: data.draw(st.integers(0, len(content)))]
    items = list(read_path(write(path, content), format))
    check(items)
    if not content.strip(b"\n"):
        return
    if format in ("docred", "pubmed", "mediawiki") and not documents(items):
        assert items


@example(b"7z\xbc\xaf'\x1c", "mediawiki")
@example(b"PK\x03\x04", "text")
@given(st.binary(max_size=400), st.sampled_from(FORMATS))
def test_arbitrary_bytes_never_raise(tmp_path_factory, data, format):
    path = write(tmp_path_factory.getbasetemp() / "noise", data)
    check(list(read_path(path, format)))


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("docred", '[{"title": "a", "sents": [], "vertexSet": []}, {"title": "b", "sents": [[" "]], "vertexSet": []}]'),
        ("pubtator", "17|t|\n17|a|\n\n18|t| \n18|a| \n\n"),
        ("gda", "17\t\n18\t | |\n"),
        ("json", '[{"id": "a", "text": ""}, {"id": "b", "text": " "}]'),
        ("csv", 'id,text\na,\nb," "\n'),
        ("jsonl", '{"id": "a", "text": ""}\n{"id": "b", "text": " "}\n'),
    ],
)
def test_what_has_no_words_is_skipped_in_every_format(tmp_path, format, content):
    assert counts(read_all(write(tmp_path / "a", content), format)) == {"empty text": 2}


def test_a_gzip_cut_in_half_is_one_dead_letter_in_every_format(tmp_path):
    for format, sample in SAMPLES.items():
        packed = gzip.compress(sample.encode())
        items = read_part(write(tmp_path / "a", packed[: len(packed) // 2]), format)
        assert len(letters(items)) == 1, format


FOLDER = os.environ.get("FACTMILL_DATA")
REAL = {
    "wikipedia/enwiki-pages-articles-206.xml.bz2": {"Document": 106, "Redirect": 99, "page of namespace 4": 1},
    "wikipedia/history-2.xml": {"Document": 1, "page of namespace 1": 1},
    "pubmed/medline16n0902.xml.gz": {"Document": 604, "Removal": 1},
    "pubmed/pubmed-29768149.xml": {"Document": 1},
    "cdr/CDR_TrainingSet.PubTator.txt": {"Document": 500, "CID": 1038},
    "cdr/CDR_DevelopmentSet.PubTator.txt": {"Document": 500, "CID": 1012},
    "docred/train_rebuilt_3052.json": {"Document": 3052},
    "docred/redocred_dev_revised.json": {"Document": 500},
    "docred/train_redocred_gold_133.json": {"Document": 133},
    "docred/docred_test_unlabelled_1000.json": {"Document": 1000},
    "gda/gda_1000.data": {"Document": 1000, "GDA": 1502},
}


@pytest.mark.skipif(not FOLDER, reason="FACTMILL_DATA names no folder with the original files")
@pytest.mark.parametrize("name", REAL)
def test_real_files(name):
    items = list(read_path(Path(FOLDER) / name))
    assert not any(isinstance(item, DeadLetter) for item in items)
    found = counts(items)
    for document in documents(items):
        assert problems(document) == []
        for fact in document.facts:
            if fact.relation in REAL[name]:
                found[fact.relation] = found.get(fact.relation, 0) + 1
    assert found == REAL[name]
    removed = sum(isinstance(item, Removal) for item in items)
    assert len({item.id for item in items if isinstance(item, Document)}) == found["Document"]
    assert removed == REAL[name].get("Removal", 0)
