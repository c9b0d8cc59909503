from html.parser import HTMLParser

import pytest

import factmill
from factmill.html import table_html
from factmill.result import ExtractedEntity, ExtractedFact, Result, Span
from schemas import Relation

VOID = {"br", "hr", "img"}


class Checked(HTMLParser):
    """Fails where a tag is not closed in order; collects tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.tags, self.text, self.marked = [], set(), "", []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert {name for name, _ in attributes} <= {"style"}
        self.open.append(tag)
        if tag == "mark":
            self.marked.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "mark" in self.open:
            self.marked[-1] += data


def span(text: str, part: str, type: str = "PER") -> ExtractedEntity:
    start = text.index(part)
    return ExtractedEntity(part, type, (Span(start, start + len(part), part),))


def test_entities_are_marked_in_the_text_and_facts_follow(model):
    page = Checked(model("Marie Curie was born in Warsaw.")._repr_html_())
    assert [text.split(" ")[0] for text in page.marked] == ["Marie", "Warsaw"]
    assert "Marie Curie PER was born in Warsaw LOC." in page.text
    assert "place of birth" in page.text
    assert "0.88" in page.text


def test_everything_is_escaped():
    text = "<script>alert('1')</script> & <b>Bob</b> knows \"Eve\""
    evil = "<img src=x onerror=alert(1)>"
    entities = (span(text, "<b>Bob</b>", evil), span(text, '"Eve"'))
    relation = Relation(id="r", label=evil, iri="http://example.org/r")
    fact = ExtractedFact(entities[0], relation, entities[1], 0.5, (Span(0, len(text), text),))
    page = Checked(Result(factmill.make_document(text), entities, (fact,))._repr_html_())
    assert page.tags == {"div", "mark", "small", "table", "thead", "tbody", "tr", "th", "td"}
    assert "<script>alert('1')</script> & <b>Bob</b>" in page.text
    assert evil in page.text
    assert "<img" in Checked(table_html([evil], [[evil]])).text


@pytest.mark.parametrize(
    ("parts", "marked"),
    [
        (["New York", "New York City"], 2),
        (["York City", "New York"], 1),
        (["New York City", "City"], 2),
        (["New", "York", "City"], 3),
        ([], 0),
    ],
)
def test_nested_mentions_are_nested_and_crossing_ones_left_out(parts, marked):
    text = "in New York City now"
    page = Checked(Result(factmill.make_document(text), tuple(span(text, part) for part in parts), ())._repr_html_())
    assert len(page.marked) == marked
    assert page.text.replace(" PER", "").startswith(text)


def test_long_tables_are_cut_and_empty_ones_say_so():
    page = Checked(table_html(["number"], [[i] for i in range(1_000)]))
    assert "19" in page.text
    assert "980 more" in page.text
    assert Checked(table_html(["a", "b"], [])).text == "no rows (a, b)"


def test_graphs_and_nodes(graph):
    assert "2 documents" in Checked(graph._repr_html_()).text
    page = Checked(graph.show("Marie Curie")._repr_html_())
    assert "place of birth" in page.text
    assert "Marie Curie was born in Warsaw." in page.text
