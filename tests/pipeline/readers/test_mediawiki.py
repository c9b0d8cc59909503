import bz2
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers import Part, read, split
from schemas import Redirect, Section
from tests.pipeline.readers.files import (
    SITE,
    check,
    counts,
    documents,
    dump,
    letters,
    multistream,
    page,
    read_all,
    read_part,
    write,
)

ADA = page(
    "Ada Example (writer)",
    "'''Ada Example''' wrote for the ''[[Daily News|News]]''. Ada Example lived in [[Rome]]s.\n"
    "== Life ==\nAda Example was [[born]].\n== References ==\n[[x]]",
    number=7,
)


def test_a_page_becomes_a_document_with_its_links_and_its_subject(tmp_path):
    [document] = documents(read_all(write(tmp_path / "a.xml", dump(ADA))))
    assert document.id == "wiki:Ada Example (writer)"
    assert document.version == 20200102030405
    assert ("page", "7") in document.metadata
    assert ("revision", "70") in document.metadata
    assert document.sections == (Section("Life", 13),)
    given_mentions = [(document.span_text(m.start, m.end), *m.kb_ids) for m in document.mentions]
    assert given_mentions == [
        ("Ada Example", "wiki:Ada Example (writer)"),
        ("News", "wiki:Daily News"),
        ("Ada Example", "wiki:Ada Example (writer)"),
        ("Romes", "wiki:Rome"),
        ("born", "wiki:Born"),
    ]
    assert len(document.sentences) == 3


def test_every_page_is_accounted_for(tmp_path):
    pages = [
        ADA,
        page("UK", "#REDIRECT [[x]]", extra='<redirect title="United_Kingdom" />'),
        page("GB", "#redirect [[united Kingdom#History]]"),
        page("Talk:Ada", "chat", ns=1),
        page("Empty", ""),
        page("Box", "{{Infobox|a=b}}"),
        page("Style", "a {}").replace("wikitext", "css"),
        page("", "no title"),
        "<page><title>No revision</title><ns>0</ns></page>",
    ]
    items = read_all(write(tmp_path / "a.xml", dump(*pages)))
    assert counts(items) == {
        "Document": 1,
        "Redirect": 2,
        "page of namespace 1": 1,
        "page without text": 1,
        "page without prose": 1,
        "content model css": 1,
        "page without title": 1,
        "page without revision": 1,
    }
    redirects = [item for item in items if isinstance(item, Redirect)]
    assert [(item.alias, item.target) for item in redirects] == [
        ("wiki:UK", "wiki:United Kingdom"),
        ("wiki:GB", "wiki:United Kingdom"),
    ]


def test_a_redirect_is_read_as_a_link_is(tmp_path):
    pages = [
        page("A", "#REDIRECT [[:old mill#Wheel]]"),
        page("B", "#REDIRECT [[:Category:Mills]]"),
        page("C", "#REDIRECT [[fr:Moulin]]"),
        page("D", "", extra='<redirect title="Category:Mills" />'),
        page("E", "#REDIRECT [[Caf%C3%A9]]"),
    ]
    items = read_all(write(tmp_path / "a.xml", dump(*pages)))
    assert [(item.alias, item.target) for item in items if isinstance(item, Redirect)] == [
        ("wiki:A", "wiki:Old mill"),
        ("wiki:E", "wiki:Café"),
    ]
    assert counts(items) == {"Redirect": 2, "redirect to a page that is not an article": 3}


@pytest.mark.parametrize(
    ("title", "text", "is_listed"),
    [
        ("Mill", "'''Mill''' is:\n* [[Old mill]]\n{{disambiguation|geo}}", True),
        ("Mill", "'''Mill''' is:\n* [[Old mill]]\n{{Place name disambiguation}}", True),
        ("Mill", "'''Mill''' is:\n* [[Old mill]]\n[[Category:Disambiguation pages]]", True),
        ("Mill (disambiguation)", "'''Mill''' is:\n* [[Old mill]]", True),
        ("Falk", "'''Falk''' is:\n* [[Ida Falk]]\n{{surname}}", True),
        ("Mill", "'''Mill''' grinds [[wheel]]{{disambiguation needed|date=May 2020}}s.", False),
        ("Mill", "'''Mill''' is a {{surname unclear|x}}. <nowiki>{{disambiguation}}</nowiki>", False),
    ],
)
def test_disambiguation_pages(tmp_path, title, text, is_listed):
    text = text.replace("<", "&lt;")
    [document] = documents(read_all(write(tmp_path / "a.xml", dump(page(title, text)))))
    assert (("disambiguation", "yes") in document.metadata) is is_listed
    assert (("wiki:Mill",) in [mention.kb_ids for mention in document.mentions]) is not is_listed


GERMAN = "Die '''Mühle''' am Fluss wurde 1901 von der Gemeinde gekauft und ist seither eine [[Schule]]."


@pytest.mark.parametrize(
    ("head", "language"),
    [
        ('<mediawiki xml:lang="de">', "de"),
        ('<mediawiki xml:lang="de-AT">', "de"),
        ("<mediawiki><siteinfo><dbname>dewiki</dbname></siteinfo>", "de"),
        ("<mediawiki><siteinfo><dbname>commonswiki</dbname></siteinfo>", "de"),
        ("<mediawiki>", "de"),
        ('<mediawiki xml:lang="ltg">', "ltg"),
    ],
)
def test_the_language_is_that_of_the_header_or_else_that_of_the_text(tmp_path, head, language):
    content = head + page("Mühle", GERMAN) + "</mediawiki>"
    [document] = documents(read_all(write(tmp_path / "a.xml", content)))
    assert ("language", language) in document.metadata


def test_a_dump_of_another_language(tmp_path):
    pages = [
        page(
            "Mühle",
            f"[[Bild:M.jpg|mini|alt]]\n{GERMAN}\n== Siehe auch ==\n* [[x]]\n== Bau ==\nHolz.\n== Weblinks ==\ny",
        ),
        page("Wassermühle", "#WEITERLEITUNG [[Mühle]]"),
        page("Mahl", "'''Mahl''' steht für:\n* [[Mühle]]\n{{Begriffsklärung}}"),
    ]
    items = read_all(write(tmp_path / "a.xml", dump(*pages).replace('xml:lang="en"', 'xml:lang="de"')))
    mill, listed = documents(items)
    assert mill.text == "Die Mühle am Fluss wurde 1901 von der Gemeinde gekauft und ist seither eine Schule.\n\nHolz."
    assert ("disambiguation", "yes") in listed.metadata
    assert counts(items) == {"Document": 2, "Redirect": 1}


def test_what_vanished_or_could_not_be_decoded_is_counted(tmp_path):
    data = dump(page("Mill", "It is {{strange|x}} high and {{odd}} old, XX.")).encode().replace(b"XX", b"\xff\xfe")
    [document] = documents(read_all(write(tmp_path / "a.xml", data)))
    assert ("templates left out", "2") in document.metadata
    assert ("undecodable bytes", "2") in document.metadata


def test_the_last_revision_counts(tmp_path):
    two = page("Foo", "Old words.").replace(
        "</page>",
        "<revision><id>9</id><timestamp>2021-01-01T00:00:00Z</timestamp><text>New words.</text></revision>"
        "<revision><id>8</id><timestamp>2019-01-01T00:00:00Z</timestamp><text>Oldest.</text></revision></page>",
    )
    [document] = documents(read_all(write(tmp_path / "a.xml", dump(two))))
    assert document.text == "New words."
    assert document.version == 20210101000000


def test_namespaces_come_from_the_dump_or_the_title(tmp_path):
    text = dump(page("Talk:Ada", "chat")).replace("<ns>0</ns>", "")
    assert counts(read_all(write(tmp_path / "a.xml", text))) == {"page of namespace 1": 1}


def test_a_namespace_prefix_and_other_encodings(tmp_path):
    plain = dump(page("Café", "Das Haus in [[Köln]]."))
    prefixed = (
        plain.replace("</", "</mw:")
        .replace("<", "<mw:")
        .replace("<mw:/mw:", "</mw:")
        .replace("<mw:mediawiki", '<mw:mediawiki xmlns:mw="http://www.mediawiki.org/xml/export-0.10/"')
    )
    variants = {
        "prefix": prefixed.encode(),
        "mark": b"\xef\xbb\xbf" + plain.encode(),
        "latin": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + plain.encode("latin-1"),
        "utf16": ('<?xml version="1.0" encoding="UTF-16"?>' + plain).encode("utf-16"),
    }
    for name, data in variants.items():
        [document] = documents(read_all(write(tmp_path / name, data)))
        assert document.text == "Das Haus in Köln.", name
        assert document.mentions[0].kb_ids == ("wiki:Köln",)
    unknown = b'<?xml version="1.0" encoding="klingon"?>' + plain.encode()
    [letter] = letters(read_part(write(tmp_path / "unknown", unknown), "mediawiki"))
    assert "klingon" in letter.detail


def test_broken_pages_do_not_take_others_with_them(tmp_path):
    good = [page(f"Good {n}", f"Page {n}.") for n in range(4)]
    broken = [
        page("Broken", "<b>x</i>"),
        page("Cut", "text")[:-20] + "\n",
        page("Entity", "a &undefined; b"),
    ]
    content = dump(good[0], broken[0], good[1], broken[1], good[2], broken[2], good[3])
    items = read_all(write(tmp_path / "a.xml", content))
    assert [document.title for document in documents(items)] == ["Good 0", "Good 1", "Good 2", "Good 3"]
    reasons = [(letter.reason, letter.detail) for letter in letters(items)]
    assert [reason for reason, _ in reasons] == [
        "not well-formed XML",
        "unreadable bytes",
        "not well-formed XML",
    ]
    assert all("line" in letter.document_id for letter in letters(items))


def test_bad_bytes_and_characters_are_replaced(tmp_path):
    data = dump(page("Bad", "one XX two &#0; &#xD800; three"), page("Good", "words")).encode()
    data = data.replace(b"XX", b"\xff\xfe\x00\x0b")
    first, second = documents(read_all(write(tmp_path / "a.xml", data)))
    assert first.text == "one \ufffd\ufffd\ufffd\ufffd two \ufffd \ufffd three"
    assert second.text == "words"


def test_what_looks_like_a_page_in_comments_and_cdata_is_none(tmp_path):
    tricky = page("Tricky", "<![CDATA[about <page> and </page>]]> and <!-- </page> -->more")
    assert [d.text for d in documents(read_all(write(tmp_path / "a.xml", dump(tricky, page("B", "b")))))] == [
        "about <page> and </page> and more",
        "b",
    ]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://example.org/evil.dtd"> %a;',
    ],
)
def test_entity_declarations_are_refused(tmp_path, declaration):
    content = f"<!DOCTYPE mediawiki [{declaration}]>" + dump(page("A", "x &a; y"))
    assert counts(read_all(write(tmp_path / "a.xml", content))) == {"XML entity declarations refused": 1}
    # Behind the beginning of a file a declaration means nothing.
    late = dump(page("A", "x")) + f"<!DOCTYPE x [{declaration}]>" + page("B", "x &a; y")
    assert counts(read_all(write(tmp_path / "a.xml", late)))["not well-formed XML"] == 1


def test_odd_pages(tmp_path):
    pages = [
        page("Long", "Some words. " * 250_000),
        page("Repeated", "a" * 300_000),
        page("Braces", "{{" * 100_000 + "x"),
    ]
    items = read_all(write(tmp_path / "a.xml", dump(*pages)))
    assert [len(document.text) for document in documents(items)] == [2_999_999, 300_000, 1]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_a_file_cut_short_gives_what_is_readable_and_one_dead_letter(tmp_path, pack):
    import random

    noise = random.Random(2)
    pages = [page(f"P{n}", " ".join(f"w{noise.random()}" for _ in range(300))) for n in range(400)]
    data = pack(dump(*pages).encode())
    items = read_all(write(tmp_path / "a.xml", data[: len(data) // 2]))
    # bzip2 loses the block of 900 kB in which the break lies.
    assert 100 < len(documents(items)) < 230
    [letter] = letters(items)
    assert letter.reason == "unreadable bytes"
    assert "byte" in letter.document_id


def test_a_file_cut_between_pages_is_noticed(tmp_path):
    items = read_all(write(tmp_path / "a.xml", dump(ADA).removesuffix("</mediawiki>\n")))
    assert counts(items) == {"Document": 1, "unreadable bytes": 1}


def pages_of(count, size=30):
    return [page(f"P{n}", f"Page {n} " + "of words " * size + f"about [[P{n + 1}]].", number=n) for n in range(count)]


def titles(path, parts):
    items = [item for part in parts for item in read(part)]
    check(items)
    assert letters(items) == []
    return [document.title for document in documents(items)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 60_000), max_size=6))
def test_byte_ranges_hold_every_page_once(tmp_path_factory, cuts):
    content = dump(*pages_of(150)).encode()
    path = write(tmp_path_factory.getbasetemp() / "ranges.xml", content)
    cuts = sorted({cut for cut in cuts if 0 < cut < len(content)})
    parts = [Part(str(path), "mediawiki", a, b) for a, b in zip([None, *cuts], [*cuts, None], strict=True)]
    assert titles(path, parts) == [f"P{n}" for n in range(150)]


@pytest.mark.parametrize("aligned", [True, False])
def test_multistream_parts_hold_every_page_once(tmp_path, monkeypatch, aligned):
    monkeypatch.setattr("pipeline.readers.formats._PART_BYTES", {"bzip2": 600, "none": 5000})
    pages = pages_of(60)
    if aligned:
        head = '<mediawiki xml:lang="en">\n' + SITE
        data = multistream(head, ["".join(pages[at : at + 5]) for at in range(0, 60, 5)], "</mediawiki>")
    else:
        content = dump(*pages)
        data = multistream(content[:700], [content[at : at + 777] for at in range(700, len(content), 777)], "")
    path = write(tmp_path / "a.xml.bz2", data)
    parts = split(path)
    assert len(parts) > 3
    assert titles(path, parts) == [f"P{n}" for n in range(60)]
    assert len(split(write(tmp_path / "a.xml", dump(*pages)))) > 3
    assert titles(tmp_path / "a.xml", split(tmp_path / "a.xml")) == [f"P{n}" for n in range(60)]


def test_a_broken_stream_costs_its_own_pages_only(tmp_path):
    pages = pages_of(30)
    groups = ["".join(pages[at : at + 10]) for at in (0, 10, 20)]
    streams = [bz2.compress(piece.encode()) for piece in ("<mediawiki>" + SITE, *groups, "</mediawiki>")]
    middle = bytearray(streams[2])
    middle[len(middle) // 2] ^= 0xFF
    streams[2] = bytes(middle)
    items = read_all(write(tmp_path / "a.bz2", b"".join(streams)))
    assert [d.title for d in documents(items)] == [f"P{n}" for n in (*range(10), *range(20, 30))]
    assert counts(items) == {"Document": 20, "unreadable bytes": 1}
