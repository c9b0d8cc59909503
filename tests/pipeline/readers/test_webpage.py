import sys

from pipeline.readers import sniff
from tests.pipeline.readers.files import documents, letters, read_all, write

PAGE = (
    "<!DOCTYPE html>\n<html lang='en'><head><title>The old mill</title><script>var menu = 1;</script></head><body>"
    "<nav><a href='/'>Home</a> <a href='/shop'>Shop</a></nav><article><h1>The old mill</h1>"
    "<p>The old mill by the river was bought by the council in 1901, and Ada Kern lived in it for many years.</p>"
    "<p>It has been a school since 1950, with a library of its own and a garden that everybody may enter.</p></article>"
    "<footer>All rights reserved, contact us, imprint</footer></body></html>"
)


def test_the_main_text_of_a_page_is_its_document(tmp_path):
    [document] = documents(read_all(write(tmp_path / "mill.html", PAGE)))
    assert document.title == "The old mill"
    assert document.id.startswith("html:mill.html#")
    assert "Ada Kern lived in it" in document.text
    for words in ("var menu", "imprint", "<p>", "Shop"):
        assert words not in document.text


def test_fragments_and_short_pages_are_read(tmp_path):
    [document] = documents(read_all(write(tmp_path / "a", "<html><body><p>Few words.</p></body></html>")))
    assert document.text == "Few words."
    fragment = "<div><h1>Mill</h1><p>It stands by the river.</p><p>It is old.</p></div>"
    assert sniff(write(tmp_path / "a", fragment)) == "html"


def test_without_the_library_a_page_is_a_dead_letter_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    [letter] = letters(read_all(write(tmp_path / "a.html", PAGE)))
    assert letter.reason == "HTML needs trafilatura"
    assert "factmill[html]" in letter.detail
