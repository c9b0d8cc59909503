import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.wiki.text import read_wikitext
from pipeline.readers.wiki.titles import Site

SITE = Site({"datei": 6, "diskussion": 1})
SIGNS = """[[ ]] {{ }} {| |} | ''' '' <ref> </ref> <ref/> <!-- --> a File:x ] &amp; <br> <nowiki> </nowiki>
{{lang|fr| <math> __TOC__ &#91; é # = <div> convert|1|km"""
BLANKS = ["\n", "\n\n", "== A ==\n", "* ", " b ", "[http://x ", "|-\n", "\n="]
MARKUP = st.lists(st.sampled_from([*SIGNS.split(), *BLANKS]), max_size=40).map("".join)


def text_of(wikitext):
    return read_wikitext(wikitext, SITE).text


def links_of(wikitext):
    prose = read_wikitext(wikitext, SITE)
    return [(prose.text[link.start : link.end], link.target) for link in prose.links]


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Ada''' was ''born'' in '''''Rome'''''.", "Ada was born in Rome."),
        ("A {{cite|a={{b|c}}|d}} B", "A B"),
        ("A{{fact}}, then {{unknown|x}}.", "A, then."),
        ("Ada ({{IPA|x}}) and ({{IPA|x}}; born 1970)", "Ada and (born 1970)"),
        ("about {{convert|10|km|mi|abbr=on}} or {{convert|2|to|3|kg}}", "about 10 km or 2 to 3 kg"),
        ("the {{lang|fr|chat}} {{lang-de|Katze}} {{nowrap|a [[cat|kitten]]}}", "the chat German: Katze a kitten"),
        ("{{Infobox\n| a = [[b]]\n| c = {{d}}\n}}\nText", "Text"),
        ("Before\n{| class=x\n! a\n|-\n| {| \n| inner\n|}\n|}\nAfter", "Before\n\nAfter"),
        ("Open\n{| class=x\n| a\n== Next ==\nText", "Open\n\nText"),
        ("One<ref name=a>see [[b]]</ref> two<ref name=a/> three<REF>x</REF>", "One two three"),
        ("a <!-- hidden [[ --> b", "a b"),
        ("E = <math>m{c}^2</math> holds", "E = holds"),
        ("H<sub>2</sub>O and x<br />y", "H2O and x y"),
        ("<nowiki>'''[[x]]</nowiki>", "'''[[x]]"),
        ("a &lt;b&gt; &amp;nbsp; c&nbsp;d", "a <b> &nbsp; c d"),
        ("[http://example.org the site] [http://example.org] and [not a link]", "the site and [not a link]"),
        ("* one\n* two\n:: three\n# four", "one\n\ntwo\n\nthree\n\nfour"),
        ("a line\nand its end\n\nnext", "a line and its end\n\nnext"),
        ("__NOTOC__ x ----", "x ----"),
        ("x\n----\ny", "x\n\ny"),
        ("[[File:A.jpg|thumb|A [[cat]] and [[dog|dogs]]\nhere]]Text", "Text"),
        ("[[Datei:A.jpg|thumb]]Text[[Category:B]][[fr:C]]", "Text"),
        ("[[File:A.jpg|thumb|never closed\n\nText", "Text"),
        ("<gallery>\nFile:A.jpg|a\n</gallery>Text", "Text"),
        ("Text </ref> {{ [[ }} ]] '' stray", "Text stray"),
        ("a < b and 1<2", "a < b and 1<2"),
        ("if {{{1|x}}} then", "if then"),
        # captions, galleries and links to media
        ("[[File:A.jpg|thumb|Two things:\n* one [[x]]\n* two]]\nText [[y]]", "Text y"),
        ("[[File:A.jpg|thumb|never closed [[x]]\nText goes on.\n\nNext", "Text goes on.\n\nNext"),
        ("[[Media:A.ogg|Listen]] to [[:File:B.pdf|the plan]]", "Listen to the plan"),
        # tables
        ("A<table><tr><td>x</td></tr><tr><td><table><tr><td>y</td></tr></table></td></tr></table>B", "AB"),
        ("{{table start}}\n|-\n| x || y\n{{table end}}\nText", "Text"),
        ("Text\n|-\n| x || y\n! z\nmore", "Text\n\nmore"),
        ("{|\n| x\n| y\n\nText goes on.\n\n{|\n| z\n|}\nEnd", "Text goes on.\n\nEnd"),
        ("a </table> b\n|}\nc", "a\n\nb\n\nc"),
        # apostrophes
        ("The ''[[Daily News|News]]'''s writer said ''no''.", "The News's writer said no."),
        ("'''Ida''' of the ''News'''s team", "Ida of the News's team"),
        ("L'''amour''", "L'amour"),
        # what nobody sees
        ("Glas\xadgow &shy;is\u200b here\u200e, no\ufeff", "Glasgow is here, no"),
        ("[[Mill]]<nowiki/>s and [[mill]]s", "Mills and mills"),
        # character references
        ("5 &lt; 6 &amp;lt; &amp;amp; AT&amp;T", "5 < 6 &lt; &amp; AT&T"),
        ("a (&Psi;) and (born 1970; {{IPA|x}})", "a (Ψ) and (born 1970)"),
        # templates that never end
        ("{{Infobox mill\n| name = x\n| by = [[Ida]]\n'''Mill''' is old.", "Mill is old."),
        ("It is old.{{cite web|url=http://x|title=Broken It is high.", "It is old. It is high."),
        ("", ""),
    ],
)
def test_text(wikitext, text):
    assert text_of(wikitext) == text


@pytest.mark.parametrize(
    ("wikitext", "links"),
    [
        ("[[cat]]s and [[Dog|two dogs]]", [("cats", "Cat"), ("two dogs", "Dog")]),
        ("[[new_York#History|there]]", [("there", "New York")]),
        ("[[Foo (bar)|]]", [("Foo", "Foo (bar)")]),
        ("[[#Here|here]] [[Talk:X|talk]] [[Diskussion:X|talk]] [[:Category:Y|Y]] [[wikt:z|z]]", []),
        ("[[Star Trek: Picard|Picard]]", [("Picard", "Star Trek: Picard")]),
        ("[[A &amp; B]]", [("A & B", "A & B")]),
        ("'''[[Ada]]''' [[''Nature'']]", [("Ada", "Ada"), ("Nature", "Nature")]),
        ("[[a|[[b]] c]]", [("b", "B")]),
        ("* [[a]]\n* [[b]]", [("a", "A"), ("b", "B")]),
        ("[[Mill]]<nowiki/>s, [[мельниц]]ами", [("Mill", "Mill"), ("мельницами", "Мельниц")]),
        ("[[re:publica]] and [[Caf%C3%A9|a café]]", [("re:publica", "Re:publica"), ("a café", "Café")]),
        ("[[\u200eRome\u200e]]", [("Rome", "Rome")]),
        ("[[Rome{{!}}the city]]", [("the city", "Rome")]),
    ],
)
def test_links(wikitext, links):
    assert links_of(wikitext) == links


def test_sections_keep_their_place_and_appendices_go():
    prose = read_wikitext(
        "Lead.\n== Life ==\n=== Youth ''here'' ===\nYoung.\n== See also ==\n* [[x]]\n=== More ===\ny\n"
        "== Work ==\nWorked.\n== References ==\n* z",
        SITE,
    )
    assert prose.text == "Lead.\n\nYoung.\n\nWorked."
    assert prose.headings == [("Life", 7), ("Youth here", 7), ("Work", 15)]
    assert prose.text[: prose.lead] == "Lead."
    assert prose.paragraphs == [0, 7, 15]


def test_bold_names_of_the_first_paragraph():
    prose = read_wikitext("'''Ada B.''' or '''B''' x\n\n'''not'''\n== A ==\n'''nor'''", SITE)
    assert [prose.text[start:end].strip() for start, end in prose.bold] == ["Ada B.", "B"]


@given(MARKUP)
def test_offsets_fit_and_no_markup_is_left(wikitext):
    prose = read_wikitext(wikitext, SITE)
    assert prose.text == prose.text.strip()
    assert "\n\n\n" not in prose.text
    for link in prose.links:
        assert prose.text[link.start : link.end].strip() == prose.text[link.start : link.end] != ""
    assert all(not prose.text[start].isspace() for start in prose.paragraphs)
    assert all(start in prose.paragraphs for _, start in prose.headings)
    if "nowiki" not in wikitext and "&#" not in wikitext:
        assert "{{" not in prose.text
        assert "[[" not in prose.text
        assert "<ref" not in prose.text


@given(st.text(max_size=300))
def test_arbitrary_text_is_read(wikitext):
    read_wikitext(wikitext, SITE).text.encode()


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        "}}",
        "{{",
        "{{a|",
        "{{nowrap|",
        "[[",
        "[[a|",
        "[[File:a|",
        "]]",
        "'",
        "<ref>",
        "<!--",
        "== a",
        "\n* ",
        "=",
        "{|\n",
        "<table>",
        "\n|-",
        "'''a",
        "<sup>1</sup>",
        "(,",
        ", ",
        "{{quote|",
        "-{",
        "%C3",
    ],
)
def test_time_is_linear(piece):
    def cost(size):
        start = time.process_time()
        read_wikitext(piece * (size // len(piece)), SITE)
        return time.process_time() - start

    assert cost(300_000) < 40 * cost(30_000) + 0.3


def test_deep_nesting():
    depth = 100_000
    assert text_of("{{nowrap|" * depth + "x" * 2000 + "}}" * depth + "end") == "end"
    assert text_of("[[a|" * depth + "x" + "]]" * depth + "end").endswith("xend")
