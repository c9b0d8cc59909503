import bz2
import gzip
import io
import tarfile

import pytest

from pipeline.readers import UnknownFormat, read_path, sniff
from schemas import DeadLetter
from tests.pipeline.readers.files import counts, documents, dump, page, read_all, write

JATS = (
    "<front><article-meta><title-group><article-title>Mills</article-title></title-group></article-meta></front>"
    "<body><sec><p>Mills stand by rivers.</p></sec></body></article>"
)


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("one.txt"), io.BytesIO())
    return file.getvalue()


OTHERS = {
    "SQL": "-- MySQL dump 10.19\n\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `page`;\n",
    "a list of titles": "page_title\nOld_mill\nNew_mill\n",
    "a list of checksums": "d41d8cd98f00b204e9800998ecf8427e  a.xml.bz2\n0cc175b9c0f1b6a831c399e269772661 *b.xml.bz2\n",
    "the index of a multistream dump": "616:10:Old mill\n616:12:New mill: a story\n99999:13:Weir\n",
    "JATS full text": "<?xml version='1.0'?><!DOCTYPE article SYSTEM 'x.dtd'><article>" + JATS,
    "BioC XML": "<collection><source>X</source><document><id>1</id><passage><offset>0</offset></passage></document>",
    "BioC JSON": '{"source": "X", "documents": [{"id": "1", "passages": [{"offset": 0, "text": "Mills."}]}]}',
    "PDF": b"\n%PDF-1.7\nMills stand by rivers and turn.",
    "an image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "an Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 40,
    "an RTF document": b"{\\rtf1 Mills stand by rivers.}",
    "a program": b"\x7fELF\x02\x01\x01" + b"\0" * 30,
    "a tar archive": tar(),
    "a file that is packed twice": gzip.compress(b"Mills stand by rivers."),
    "binary data": bytes(range(256)) * 4,
    "PubMed's text format": "PMID- 17\nOWN - NLM\nTI  - Mills by rivers\nAB  - Mills stand by rivers.\n",
    "RIS references": "TY  - JOUR\nTI  - Mills by rivers\nER  - \n",
    "BibTeX": "% library\n@article{mill, title={Mills by rivers}}\n",
    "LaTeX": "% a paper\n\\documentclass{article}\n\\begin{document}Mills stand by rivers.\\end{document}",
    "brat annotations": "T1\tPlace 0 5\tMills\nR1\tStandsBy Arg1:T1 Arg2:T2\n",
    "subtitles": "1\n00:00:01,000 --> 00:00:02,500\nMills stand by rivers.\n",
    "e-mail": "Return-Path: <ada@example.org>\nSubject: Mills\n\nMills stand by rivers.\n",
    "a script": "#!/bin/sh\necho Mills stand by rivers\n",
    "RDF": "@prefix ex: <https://example.org/> .\nex:mill ex:by ex:river .\n",
    "XML with the root <TEI>": "<?xml version='1.0'?><TEI><text><p>Mills stand by rivers.</p></text></TEI>",
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", ["a", "a.txt.gz"])
def test_what_is_no_source_is_named_with_a_way_out(tmp_path, kind, name):
    content = OTHERS[kind]
    data = content.encode() if isinstance(content, str) else content
    [letter] = read_all(write(tmp_path / name, gzip.compress(data)))
    assert isinstance(letter, DeadLetter)
    assert (letter.document_id, letter.reason) == (name, f"looks like {kind}")
    assert letter.detail.startswith(f"{name}: looks like {kind}, which is not read: ")
    readable = "--format text" in letter.detail
    assert readable == isinstance(content, str)
    if readable:
        assert counts(list(read_path(tmp_path / name, "text"))) == {"Document": 1}


@pytest.mark.parametrize("name", ["a.dat", "a.txt"])
@pytest.mark.parametrize(
    "text",
    [
        "SET in the hills, the mill is old. CREATE a garden there.",
        "12:30: the mill opens. 13:45: it closes.",
        "ID3 tags name songs, and RIFF is a format of files.",
        "新しい水車小屋は川のそばにある。\n古い水車小屋は丘の上にある。",
        "पुरानी चक्की नदी के किनारे है और नयी चक्की पहाड़ी पर है।",
        "(See the map.) The mill stands there.",
        "< 5 km from here, > 3 km from there",
        "<3 this mill, said the miller.",
        "From here to there it is far.",
        "T1 is a road and R1 is a river.",
        "Received wisdom: the mill is old.",
        "[1] The mill stands there.\n[2] So does the weir.",
        "{{Infobox}} The mill stands there, says the wiki.",
        "",
    ],
)
def test_prose_is_text_whatever_it_begins_with(tmp_path, name, text):
    assert sniff(write(tmp_path / name, text)) == "text"


def test_what_is_neither_prose_nor_named_as_a_text_is_left_out(tmp_path):
    numbers = "\n".join(f"{n * 7919 % 1000}.{n} {n * n}" for n in range(100))
    assert sniff(write(tmp_path / "a.txt", numbers)) == "text"
    with pytest.raises(UnknownFormat) as failure:
        sniff(write(tmp_path / "a.dat", numbers))
    assert failure.value.reason == "looks like no format"


def test_a_downloaded_dump_folder_gives_its_articles_only(tmp_path):
    head, _, tail = dump(page("A", "Words about [[B]]."), page("B", "More words.")).partition("<page>")
    files = {
        "x-pages-articles-multistream.xml.bz2": bz2.compress(head.encode()) + bz2.compress(f"<page>{tail}".encode()),
        "x-pages-articles-multistream-index.txt.bz2": bz2.compress(b"616:1:A\n616:2:B\n"),
        "x-all-titles-in-ns0.gz": gzip.compress(b"page_title\nA\nB\n"),
        "x-md5sums.txt": b"0cc175b9c0f1b6a831c399e269772661  x-pages-articles-multistream.xml.bz2\n",
        "x-redirect.sql.gz": gzip.compress(b"-- MySQL dump\nINSERT INTO `redirect` VALUES (1,0,'C');\n"),
        "dumpstatus.json": b'{"version": "0.8", "jobs": {}}',
    }
    items = [item for name, data in files.items() for item in read_path(write(tmp_path / name, data))]
    assert [document.id for document in documents(items)] == ["wiki:A", "wiki:B"]
    assert len(items) == 2 + len(files) - 1


def test_a_slice_of_a_dump_that_begins_inside_a_page_loses_that_page_only(tmp_path):
    whole = dump(page("A", "Words of A."), page("B", "Words of B."))
    items = read_all(write(tmp_path / "slice", whole[whole.index("of A") :]))
    assert counts(items) == {"unreadable bytes": 1, "Document": 1}
    assert "begins inside a page" in items[0].detail


@pytest.mark.parametrize("name", ["a.py", "b.yaml", "c.log.gz", "d.bib"])
def test_code_settings_and_logs_are_known_by_their_names(tmp_path, name):
    data = b"The mill by the river is old, and the school is new.\n"
    with pytest.raises(UnknownFormat, match="source code, settings or a log"):
        sniff(write(tmp_path / name, gzip.compress(data) if name.endswith(".gz") else data))
